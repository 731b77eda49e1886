//! What programs outside rely on, in the shape they rely on.

mod echoes;
mod errors;
mod node_js;
mod original_client;
mod paths;
mod user_cache;

use reqwest::Method;
use serde_json::{Value, json};
use server::config::RedisConfig;

use super::{
    kit::{events::Events, instance::Running, redis::Redis, tab::Tab, visitor::Visitor},
    sessions::{config, pair},
};

async fn get(visitor: &Visitor, instance: &Running, path: &str) -> (u16, Value) {
    let response = visitor.request(instance, Method::GET, path, None).await;
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_says_in_data_what_a_script_of_the_original_reads() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let (status, guest) = get(&Visitor::default(), &left, "/api/1/auth/status").await;
    assert_eq!((status, &guest["success"], &guest["data"]), (200, &json!(true), &json!({ "authenticated": false })));
    assert_eq!((&guest["authenticated"], &guest["user"]), (&json!(false), &json!(null)));
    let admin = Visitor::log_in_as_admin(&left).await;
    let (status, signed_in) = get(&admin, &right, "/api/1/auth/status").await;
    let data = json!({ "authenticated": true, "username": "admin", "roles": ["admin"] });
    assert_eq!((status, &signed_in["data"], &signed_in["authenticated"]), (200, &data, &json!(true)));
    assert_eq!(signed_in["user"]["username"], "admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_everywhere_needs_a_session() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let path = "/api/1/auth/logout-all";
    let refused = Visitor::default().request(&left, Method::POST, path, None).await;
    assert_eq!(refused.status(), 401);
    let body: Value = refused.json().await.unwrap();
    assert_eq!((&body["success"], &body["code"]), (&json!(false), &json!("AUTHENTICATION_REQUIRED")));
    let admin = Visitor::log_in_as_admin(&left).await;
    assert_eq!(admin.post(&right, path).await, 200);
    assert_eq!(admin.post(&right, path).await, 401, "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_too_many_is_answered_with_the_limit_it_broke() {
    let mut with_limits = config(RedisConfig::default(), "0");
    with_limits.limits.socket_messages = 7;
    let instance = Running::start(with_limits).await;
    for path in ["/api/1/ws/jp-broadcast", "/api/1/ws/hello-emoji"] {
        let mut tab = Tab::open(instance.address, path).await;
        for number in 0..8 {
            tab.send(json!({ "type": "ping", "requestId": number })).await;
        }
        let refused = loop {
            let frame = tab.next().await;
            if frame["requestId"] == 7 {
                break frame;
            }
        };
        assert_eq!(refused["code"], "RATE_LIMIT_EXCEEDED", "{refused}");
        let details = refused["details"].as_object().unwrap();
        let names: Vec<&str> = details.keys().map(String::as_str).collect();
        assert_eq!(names, ["interval", "maxMessages", "retryAfterMs"], "{path}");
        assert_eq!((&details["maxMessages"], &details["interval"]), (&json!(7), &json!(1_000)), "{path}");
        assert!((1..=1_000).contains(&details["retryAfterMs"].as_u64().unwrap()), "{path}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_of_three_parts_goes_everywhere_one_of_four_does() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let alert = "view:notifications:alert";
    let (mut exact, mut below) = (right.open_browser().await, left.open_browser().await);
    exact.subscribe(alert).await;
    below.subscribe("view:notifications:*").await;
    let mut stream = Events::hear(right.address, &format!("channel={alert}"), &[]).await;
    assert_eq!(stream.subscribed().await["channel"], alert);
    let path = format!("/api/1/app-cluster/broadcast/{alert}");
    let body = json!({ "data": { "message": "Server maintenance in 10 minutes" } });
    let receipt = Visitor::default().request(&left, Method::POST, &path, Some(body.clone())).await;
    assert_eq!(receipt.status(), 200);
    let receipt: Value = receipt.json().await.unwrap();
    assert_eq!((&receipt["data"]["channel"], &receipt["data"]["offset"]), (&json!(alert), &json!(1)), "{receipt}");
    for browser in [&mut exact, &mut below] {
        assert_eq!(browser.next_data().await, body["data"]);
    }
    assert_eq!(stream.next_data().await, body["data"]);
    // A publish over the socket, resumed from the log by somebody who was away.
    let told = json!({ "type": "publish", "channel": alert, "data": { "n": 2 }, "requestId": 1 });
    exact.send(told).await;
    assert_eq!(below.next_data().await["n"], 2);
    let mut back = left.open_browser().await;
    let since = json!({ "epoch": receipt["data"]["epoch"], "offset": 1 });
    assert_eq!(back.subscribe_with(json!({ "channel": alert, "since": since })).await["recovered"], true);
    assert_eq!(back.next_data().await["n"], 2);
}
