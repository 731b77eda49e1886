//! Endpoints beside an instance of jPulse 1.7 on Node.js, which is played by what it publishes and hears.

use server::{
    bus::{Bus, Event, Link, RedisBus},
    endpoint::NODE_JS_FAMILY,
};
use tokio::time::timeout;
use wire::Pattern;

use super::*;
use crate::kit::{SOON, subscriber::Subscriber};

const EMOJI: &str = "/api/1/ws/hello-emoji";
/// Where it exchanges broadcasts of this endpoint, without the prefix of broadcasts.
const CHANNEL: &str = "controller:websocket:broadcast:api:1:ws:hello-emoji";

/// A broadcast as it publishes it, with all it says of who sent it.
fn publish(redis: &Redis, data: Value) {
    let mut data = data;
    data["ctx"] = json!({ "username": "jane", "ip": "10.0.0.7", "roles": ["admin"], "firstName": "J", "params": {} });
    let message =
        json!({ "channel": CHANNEL, "data": data, "instanceId": "web:7:4711", "timestamp": 1_760_000_000_000_u64 });
    redis.publish(&format!("jpulse:dev:bc:{CHANNEL}"), &message.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_of_a_node_js_instance_reaches_the_browsers_of_an_endpoint() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let mut tabs = [Tab::open(left.address, EMOJI).await, Tab::open(right.address, EMOJI).await];
    let mut other = Tab::open(right.address, "/api/1/ws/hello-rooms").await;
    let said = json!({ "type": "user-emoji", "data": { "clientId": "c", "username": "jane", "emoji": "🎉" } });
    publish(&redis, said.clone());
    for tab in &mut tabs {
        let mut wanted = said.clone();
        // Neither an address nor roles.
        wanted["ctx"] = json!({ "username": "jane" });
        assert_eq!(tab.next().await, json!({ "success": true, "data": wanted }));
        tab.expect_nothing().await;
    }
    other.expect_nothing().await;
    // What cannot be handed on costs nobody a socket.
    for strange in ["{", "[]", "null", r#"{"data":7}"#] {
        redis.publish(&format!("jpulse:dev:bc:{CHANNEL}"), strange);
    }
    publish(&redis, json!({ "type": "large", "data": "x".repeat(1_200_000) }));
    publish(&redis, json!({ "type": "last" }));
    for tab in &mut tabs {
        assert_eq!(tab.next().await["data"]["type"], "last");
    }
    let admin = Visitor::log_in_as_admin(&left).await;
    let (_, stats) = get(&admin, &left, "/api/1/ws/stats").await;
    assert_eq!(stats["hello-emoji"]["instances"][&left.id]["dropped"]["tooLarge"], 1, "{stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_of_ours_is_published_once_as_a_node_js_instance_reads_it() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let mut node_js = Subscriber::hear(&redis, "jpulse:dev:bc:controller:websocket:*").await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let mut here = Tab::open_as(&admin, left.address, EMOJI).await;
    let mut there = Tab::open(right.address, EMOJI).await;
    here.join("r").await;
    // It knows neither rooms nor users, so these stay among ours.
    here.send(json!({ "type": "room", "roomId": "r", "data": "room" })).await;
    assert_eq!(here.next_message().await, "room");
    here.send(json!({ "type": "broadcast", "data": { "emoji": "🎉" } })).await;
    let (channel, text) = node_js.next().await;
    assert_eq!(channel, format!("jpulse:dev:bc:{CHANNEL}"));
    let message: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&message["channel"], &message["instanceId"]), (&json!(CHANNEL), &json!(left.id)));
    assert!(message["timestamp"].as_u64().is_some(), "{message}");
    // What its browsers are handed is the frame ours get, so that one client reads both.
    let frame = there.next().await;
    assert_eq!(frame["data"]["type"], "message");
    assert_eq!((&message["data"]["type"], &message["data"]["data"]), (&frame["data"]["type"], &frame["data"]["data"]));
    assert_eq!(message["data"]["ctx"], json!({ "username": "admin" }));
    assert_eq!(message["data"]["data"]["data"], json!({ "emoji": "🎉" }));
    assert_eq!(here.next_message().await, json!({ "emoji": "🎉" }));
    // Once on each of ours, whatever came back from Redis.
    let body = json!({ "message": 2 });
    admin.request(&left, Method::POST, "/api/1/ws/hello-emoji/broadcast", Some(body)).await;
    for tab in [&mut here, &mut there] {
        assert_eq!(tab.next_message().await, 2);
        tab.expect_nothing().await;
    }
    let message: Value = serde_json::from_str(&node_js.next().await.1).unwrap();
    assert_eq!(message["data"]["data"]["data"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_of_the_hub_and_an_endpoint_each_get_what_crosses_once() {
    let redis = Redis::start();
    for joined in [CHANNEL, "controller:websocket:*", "controller:*"] {
        let (bus, mut inbox) = RedisBus::start(&redis.config(), "jpulse:dev:".to_owned()).unwrap();
        let (topics, mut heard) = bus.topics(NODE_JS_FAMILY);
        bus.link().wait_for(|link| *link == Link::Up).await.unwrap();
        topics.hear(&[format!("bc:{CHANNEL}")]).await.unwrap();
        bus.join(&Pattern::parse(joined).unwrap()).await.unwrap();
        for number in 0..2 {
            publish(&redis, json!({ "number": number }));
        }
        for number in 0..2 {
            let told = timeout(SOON, heard.next()).await.unwrap().unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&told.text).unwrap()["data"]["number"], number, "{joined}");
            let message = loop {
                if let Event::Message(message) = timeout(SOON, inbox.recv()).await.unwrap().unwrap() {
                    break message;
                }
            };
            assert_eq!(message.data["number"], number, "{joined}");
        }
        bus.close().await;
    }
}
