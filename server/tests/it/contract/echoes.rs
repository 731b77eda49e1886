//! What a client sends to be given back comes back as it was written.

use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::kit::SOON;

/// Values that a reader of numbers, or of objects, would write in another way.
const WRITTEN: [&str; 9] = [
    "123456789012345678901234567890",
    "-0",
    "1.0",
    "1e2",
    "0.10000000000000000000000001",
    r#""text \u00e4 \/ ä""#,
    r#"{"b":1.50,"a":[10000000000000000000001, null]}"#,
    "[ 1 ,2]",
    "false",
];

/// Sends a text and reads frames until one holds `"requestId"`.
async fn answer(instance: &Running, path: &str, message: &str) -> String {
    let stream = TcpStream::connect(instance.address).await.unwrap();
    let address = format!("ws://{}{path}", instance.address);
    let (mut socket, _) = tokio_tungstenite::client_async(address, stream).await.unwrap();
    socket.send(Message::text(message)).await.unwrap();
    loop {
        if let Message::Text(text) = timeout(SOON, socket.next()).await.expect("soon").unwrap().unwrap()
            && text.contains("\"requestId\"")
        {
            return text.to_string();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_comes_back_as_it_was_written() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    for id in WRITTEN {
        for (path, message) in [
            ("/api/1/ws/jp-broadcast", r#"{"type":"ping","requestId":ID}"#),
            ("/api/1/ws/jp-broadcast", r#"{"type":"subscribe","channel":"view:it:echo","requestId":ID}"#),
            ("/api/1/ws/jp-broadcast", r#"{"type":"unsubscribe","channel":"view:it:echo","requestId": ID }"#),
            ("/api/1/ws/jp-broadcast", r#"{"requestId":ID,"type":"publish","channel":"view:it:echo","data":{}}"#),
            ("/api/1/ws/jp-broadcast", r#"{"type":"publish","channel":"model:it:echo","data":{},"requestId":ID}"#),
            ("/api/1/ws/jp-broadcast", r#"{"type":"dance","requestId":ID}"#),
            ("/api/1/ws/hello-emoji", r#"{"type":"ping","requestId":ID}"#),
            ("/api/1/ws/hello-emoji", r#"{"type":"join","roomId":"r","requestId":ID}"#),
            ("/api/1/ws/hello-emoji", r#"{"type":"broadcast","data":1,"requestId":ID}"#),
            ("/api/1/ws/hello-emoji", r#"{"type":"presence","requestId":ID}"#),
            ("/api/1/ws/hello-emoji", r#"{"type":"join","requestId":ID}"#),
            ("/api/1/ws/hello-request", r#"{"type":"anything","requestId":ID}"#),
            ("/api/1/ws/hello-request", r#"{"requestId":ID}"#),
        ] {
            let answer = answer(&instance, path, &message.replace("ID", id)).await;
            assert!(answer.ends_with(&format!("\"requestId\":{id}}}")), "{message} with {id}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_of_nothing_is_none_and_one_of_a_message_too_many_comes_back() {
    let mut with_limits = config(RedisConfig::default(), "0");
    with_limits.limits.socket_messages = 1;
    let instance = Running::start(with_limits).await;
    for path in ["/api/1/ws/jp-broadcast", "/api/1/ws/hello-emoji"] {
        let mut tab = Tab::open(instance.address, path).await;
        tab.send_text(r#"{"type":"ping","requestId":null}"#).await;
        let pong = loop {
            let frame = tab.next().await;
            if frame["data"]["type"] == "pong" {
                break frame;
            }
        };
        assert!(pong.as_object().unwrap().get("requestId").is_none(), "{pong}");
        let large = format!(r#"{{"type":"ping","x":"{}","requestId":1e2}}"#, "x".repeat(70_000));
        for message in [r#"{"type":"ping","requestId":1e2}"#, &large] {
            assert!(answer_behind(&instance, path, message).await.ends_with(r#""requestId":1e2}"#), "{path}");
        }
    }
}

/// The answer to the second of two messages in one interval.
async fn answer_behind(instance: &Running, path: &str, message: &str) -> String {
    let stream = TcpStream::connect(instance.address).await.unwrap();
    let address = format!("ws://{}{path}", instance.address);
    let (mut socket, _) = tokio_tungstenite::client_async(address, stream).await.unwrap();
    for message in [r#"{"type":"ping"}"#, message] {
        socket.send(Message::text(message)).await.unwrap();
    }
    loop {
        if let Message::Text(text) = timeout(SOON, socket.next()).await.expect("soon").unwrap().unwrap()
            && text.contains("\"requestId\"")
        {
            return text.to_string();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_in_a_payload_arrive_as_javascript_reads_them() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let mut browser = right.open_browser().await;
    browser.subscribe("view:it:numbers").await;
    let url = left.url("/api/1/app-cluster/broadcast/view:it:numbers");
    let body = r#"{"data":{"whole":9007199254740993,"large":18446744073709551615,"huge":123456789012345678901234567890,"part":0.1,"small":5e-324}}"#;
    assert_eq!(reqwest::Client::new().post(url).body(body).send().await.unwrap().status(), 200);
    let data = browser.next_data().await;
    let wanted = r#"{"whole":9007199254740993,"large":18446744073709551615,"huge":1.2345678901234568e29,"part":0.1,"small":5e-324}"#;
    assert_eq!(data, serde_json::from_str::<Value>(wanted).unwrap());
}
