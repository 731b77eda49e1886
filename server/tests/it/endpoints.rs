//! WebSocket endpoints: isolated, targeted, present, on one instance and on several.

mod bad_input;
mod custom;
mod handler;
mod isolation;
mod presence;
mod removed;
mod rest;
mod stop;

use serde_json::{Value, json};
use server::config::{Config, RedisConfig};
use tokio::time::timeout;

use super::{
    kit::{SOON, instance::Running, redis::Redis, tab::Tab, visitor::Visitor},
    sessions::{config, pair},
};

const EMOJI: &str = "/api/1/ws/hello-emoji";

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_met_with_connected_and_shares_its_uuid() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    for path in [format!("{EMOJI}?uuid=tab-1"), "/ws/hello-emoji?uuid=tab-1".to_owned()] {
        let mut tab = Tab::open(instance.address, &path).await;
        let data = tab.connected["data"].clone();
        assert_eq!((&data["clientId"], &data["namespace"]), (&json!("tab-1"), &json!(EMOJI)));
        assert_eq!(data["ctx"], json!({ "username": "" }));
        assert_eq!(data["limits"], json!({ "maxSize": 65_536, "interval": 1_000, "maxMessages": 50 }));
        tab.expect_nothing().await;
    }
    let (mut one, two) = (Tab::open(instance.address, EMOJI).await, Tab::open(instance.address, EMOJI).await);
    assert_ne!(one.connected["data"]["clientId"], two.connected["data"]["clientId"]);
    two.close().await;
    one.expect_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_reaches_everybody_on_its_endpoint_and_nobody_else() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let mut here = Tab::open_as(&admin, left.address, EMOJI).await;
    let mut there = Tab::open(right.address, &format!("{EMOJI}?uuid=there")).await;
    let mut other = Tab::open(right.address, "/api/1/ws/hello-todo").await;
    assert_eq!(here.connected["data"]["ctx"]["username"], "admin");
    here.send(json!({ "type": "broadcast", "data": { "emoji": "🎉" } })).await;
    for tab in [&mut here, &mut there] {
        let message = tab.next_of("message").await["data"].clone();
        assert_eq!(message["data"], json!({ "emoji": "🎉" }), "{message}");
        assert_eq!(
            (&message["from"]["username"], &message["target"]),
            (&json!("admin"), &json!({ "type": "broadcast" }))
        );
        assert!(message["timestamp"].as_str().unwrap().ends_with('Z'));
    }
    // Somebody is answered by the id others see; a guest's is as good.
    there.send(json!({ "type": "broadcast", "data": 1, "omitSelf": true })).await;
    let from = here.next_of("message").await["data"]["from"].clone();
    let answer = here.ask(json!({ "type": "user", "userId": from["id"], "data": "psst" })).await;
    assert_eq!((&answer["success"], &answer["data"]["type"]), (&json!(true), &json!("sent")), "{answer}");
    assert_eq!(there.next_message().await, "psst");
    for tab in [&mut here, &mut there, &mut other] {
        tab.expect_nothing().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_told_on_every_instance_and_counts_its_sockets() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let (mut a, mut b) = (Tab::open(left.address, EMOJI).await, Tab::open(right.address, EMOJI).await);
    assert_eq!(a.join("lobby").await, json!({ "roomId": "lobby", "members": 1 }));
    b.join("lobby").await;
    for tab in [&mut a, &mut b] {
        // Both hear of two, one way or the other.
        loop {
            let count = tab.next_of("room-count").await;
            if count["data"] == json!({ "roomId": "lobby", "members": 2 }) {
                break;
            }
        }
    }
    b.send(json!({ "type": "room", "roomId": "lobby", "data": "hi" })).await;
    for tab in [&mut a, &mut b] {
        assert_eq!(tab.next_message().await, "hi");
    }
    let left_it = b.ask(json!({ "type": "leave", "roomId": "lobby" })).await;
    assert_eq!(left_it["data"]["data"]["members"], 1, "{left_it}");
    a.send(json!({ "type": "room", "roomId": "lobby", "data": "alone" })).await;
    assert_eq!(a.next_message().await, "alone");
    b.expect_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_js_instance_is_heard_and_hears() {
    let redis = Redis::start();
    let (left, _right) = pair(&redis).await;
    let mut tab = Tab::open(left.address, &format!("{EMOJI}?uuid=t")).await;
    let theirs = json!({ "endpoint": "hello-emoji", "data": { "emoji": "x" }, "sourceInstance": "web-1-99" });
    redis.publish("jpulse:dev:ws:hello-emoji:broadcast", &theirs.to_string());
    assert_eq!(tab.next_message().await, json!({ "emoji": "x" }));
    let theirs = json!({ "endpoint": "hello-emoji", "userId": "guest:t", "data": 7, "sourceInstance": "web-1-99" });
    redis.publish("jpulse:dev:ws:hello-emoji:user:guest:t", &theirs.to_string());
    assert_eq!(tab.next_message().await, 7);
    for strange in ["", "{", "[]", "null", "7"] {
        redis.publish("jpulse:dev:ws:hello-emoji:broadcast", strange);
    }
    tab.expect_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_an_instance_is_enough_and_with_it_a_lost_link_comes_back() {
    let mut redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let alone = Running::start(Config::default()).await;
    let (mut a, mut b) = (Tab::open(alone.address, EMOJI).await, Tab::open(alone.address, EMOJI).await);
    a.send(json!({ "type": "broadcast", "data": 1 })).await;
    assert_eq!(b.next_message().await, 1);
    let (mut here, mut there) = (Tab::open(left.address, EMOJI).await, Tab::open(right.address, EMOJI).await);
    here.join("r").await;
    redis.kill();
    here.send(json!({ "type": "broadcast", "data": "here" })).await;
    assert_eq!(here.next_message().await, "here");
    redis.run();
    // Heard again without a new join; what is said before is gone for the other instance.
    let is_back = async {
        loop {
            there.send(json!({ "type": "room", "roomId": "r", "data": "back" })).await;
            if timeout(std::time::Duration::from_millis(200), here.next_of("message")).await.is_ok() {
                return;
            }
        }
    };
    timeout(SOON, is_back).await.expect("the link is back");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_to_do_list_is_changed_over_a_socket() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    let todo = "/api/1/ws/hello-todo";
    let (mut a, mut b) = (Tab::open(instance.address, todo).await, Tab::open(instance.address, todo).await);
    let made = a.ask(json!({ "type": "create", "text": "tea" })).await;
    assert_eq!((&made["data"]["type"], &made["data"]["data"]["action"]), (&json!("changed"), &json!("created")));
    let id = made["data"]["data"]["todo"]["_id"].clone();
    assert_eq!(b.next_message().await["todo"]["title"], "tea");
    let toggled = b.ask(json!({ "type": "toggle", "id": id })).await;
    assert_eq!(toggled["data"]["data"]["todo"]["completed"], true, "{toggled}");
    let listed = b.ask(json!({ "type": "list" })).await;
    assert_eq!(listed["data"]["data"]["todos"][0]["_id"], id, "{listed}");
    let empty = a.ask(json!({ "type": "create", "text": " " })).await;
    assert_eq!(code(&empty), "VALIDATION_ERROR");
    assert_eq!(code(&a.ask(json!({ "type": "delete", "id": "x" })).await), "INVALID_ID");
}

fn code(frame: &Value) -> &str {
    assert_eq!(frame["success"], false, "{frame}");
    assert!(frame["error"].is_string(), "{frame}");
    frame["code"].as_str().unwrap()
}
