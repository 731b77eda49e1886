//! Each bad input has its answer.

use futures_util::{SinkExt, StreamExt};
use reqwest::header;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};
use wire::limits::FRAME_BYTES;

use super::*;
use crate::kit::mongod::{Mongod, fresh_database};

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_answered_and_the_socket_stays() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    let mut tab = Tab::open(instance.address, EMOJI).await;
    for (text, wanted) in [
        ("{", "INVALID_MESSAGE"),
        ("[]", "INVALID_MESSAGE"),
        ("{\"type\":7}", "INVALID_MESSAGE"),
        ("{\"type\":\"dance\"}", "INVALID_MESSAGE"),
        ("{\"type\":\"broadcast\"}", "INVALID_MESSAGE"),
        ("{\"type\":\"room\",\"data\":1}", "INVALID_MESSAGE"),
        ("{\"type\":\"join\",\"roomId\":\"a b\"}", "INVALID_ID"),
        ("{\"type\":\"response\",\"requestId\":\"server-1\",\"data\":1}", "INVALID_MESSAGE"),
    ] {
        tab.send_text(text).await;
        assert_eq!(code(&tab.next().await), wanted, "{text}");
    }
    tab.send_message(Message::binary(vec![1, 2])).await;
    assert_eq!(code(&tab.next().await), "INVALID_MESSAGE");
    let answer = tab.ask(json!({ "type": "dance" })).await;
    assert_eq!(code(&answer), "INVALID_MESSAGE");
    tab.send(json!({ "type": "broadcast", "data": "x".repeat(65_536), "requestId": "big" })).await;
    let answer = tab.next().await;
    assert_eq!((code(&answer), &answer["requestId"]), ("MESSAGE_TOO_LARGE", &json!("big")));
    tab.expect_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_beyond_a_mebibyte_ends_the_socket() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    let mut tab = Tab::open(instance.address, EMOJI).await;
    tab.send_text(&"x".repeat(FRAME_BYTES + 1)).await;
    assert_eq!(tab.see().await, Err(1009));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_leaves_is_answered_in_kind() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    let mut tab = Tab::open(instance.address, EMOJI).await;
    tab.send_message(Message::Close(Some(CloseFrame { code: CloseCode::Away, reason: "".into() }))).await;
    assert_eq!(tab.see().await, Err(1001));
}

#[tokio::test(flavor = "multi_thread")]
async fn too_fast_is_noticed_once_and_every_request_is_answered() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    let mut tab = Tab::open(instance.address, EMOJI).await;
    for _ in 0..80 {
        tab.send(json!({ "type": "ping" })).await;
    }
    tab.send(json!({ "type": "ping", "requestId": 7 })).await;
    let (mut pongs, mut notices) = (0, 0);
    loop {
        let frame = tab.next().await;
        if frame["requestId"] == 7 {
            // The window may be over by now.
            assert!(frame["success"] == true || code(&frame) == "RATE_LIMIT_EXCEEDED", "{frame}");
            break;
        }
        if frame["success"] == true {
            pongs += 1;
        } else {
            assert_eq!(code(&frame), "RATE_LIMIT_EXCEEDED");
            assert!(frame["details"]["retryAfterMs"].as_u64().unwrap() <= 1_000, "{frame}");
            notices += 1;
        }
    }
    assert!(pongs >= 50 && (1..=2).contains(&notices), "{pongs} pongs, {notices} notices");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_come_in_is_told_over_http() {
    let (redis, mongod) = (Redis::start(), Mongod::shared());
    let uri = mongod.uri(&fresh_database());
    let mut with_store = config(redis.config(), "0");
    with_store.mongodb.uri.clone_from(&uri);
    let instance = Running::start(with_store).await;
    let accounts = server::account::Accounts::new(&server::store::Store::mongo(&uri).await.unwrap());
    accounts.create("Mona", "a password of hers", &[]).await.unwrap();
    let mona = Visitor::default();
    assert_eq!(mona.log_in(&instance, "mona", "a password of hers").await.0, 200);
    let refused = async |path: &str, headers: &[(header::HeaderName, &str)]| {
        let Err((status, body)) = Tab::try_open(instance.address, path, headers).await else { panic!("{path}") };
        assert_eq!((&body["success"], &body["path"]), (&json!(false), &json!(path)), "{body}");
        (status, body["code"].as_str().unwrap().to_owned())
    };
    let cookie = mona.cookie().unwrap();
    let as_mona = [(header::COOKIE, cookie.as_str())];
    let answer = |status: u16, code: &str| (status, code.to_owned());
    for unknown in ["/api/1/ws/nothing", "/ws/nothing", "/api/1/ws/hello-emoji/deeper", "/api/1/ws/jp-broadcast/x"] {
        assert_eq!(refused(unknown, &[]).await, answer(404, "UNKNOWN_ENDPOINT"), "{unknown}");
    }
    for guarded in ["/api/1/ws/jpulse-ws-test", "/api/1/ws/jpulse-ws-status"] {
        assert_eq!(refused(guarded, &[]).await, answer(401, "AUTHENTICATION_REQUIRED"));
    }
    assert_eq!(refused("/api/1/ws/jpulse-ws-status", &as_mona).await, answer(403, "UNAUTHORIZED"));
    let foreign = [(header::ORIGIN, "http://evil.example")];
    assert_eq!(refused(EMOJI, &foreign).await, answer(403, "FORBIDDEN_ORIGIN"));
    let mut tab = Tab::open_as(&mona, instance.address, "/api/1/ws/jpulse-ws-test").await;
    let echo = tab.ask(json!({ "type": "anything", "data": [1] })).await;
    assert_eq!(echo["data"], json!({ "type": "echo", "data": { "type": "anything", "data": [1] } }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_does_not_read_costs_itself_alone() {
    let mut with_limits = config(RedisConfig::default(), "0");
    with_limits.limits.queue_messages = 64;
    with_limits.limits.socket_messages = 100_000;
    let instance = Running::start(with_limits).await;
    let mut sender = Tab::open(instance.address, &format!("{EMOJI}?uuid=sender")).await;
    let request = format!("ws://{}{EMOJI}", instance.address);
    let stream = tokio::net::TcpStream::connect(instance.address).await.unwrap();
    let (stalled, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    let (mut sink, mut source) = stalled.split();
    for number in 0..400 {
        let data = json!({ "number": number, "x": "x".repeat(60_000) });
        sender.send(json!({ "type": "broadcast", "data": data, "omitSelf": true })).await;
        sender.expect_nothing().await;
    }
    sender.expect_nothing().await;
    // Whatever reached it before, the end is the end.
    let _ = sink.send(Message::text("{\"type\":\"ping\"}")).await;
    let ends = async { while let Some(Ok(_)) = source.next().await {} };
    timeout(SOON, ends).await.expect("it is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_over_takes_its_sockets_along() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let mut tab = Tab::open_as(&admin, right.address, "/api/1/ws/jpulse-ws-test").await;
    admin.post(&left, "/api/1/auth/logout").await;
    assert_eq!(code(&tab.next().await), "SESSION_EXPIRED");
    assert_eq!(tab.see().await, Err(4401));
}
