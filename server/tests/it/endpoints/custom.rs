//! Endpoints that administrators make, live everywhere at once and kept.

use reqwest::Method;

use super::*;
use crate::kit::{
    mongod::{Mongod, fresh_database},
    until, until_within,
};

const ENDPOINTS: &str = "/api/1/ws/endpoints";
/// In which an endpoint is live on every instance.
const LIVE_WITHIN: std::time::Duration = std::time::Duration::from_secs(1);

async fn define(admin: &Visitor, instance: &Running, definition: Value) -> (u16, Value) {
    let response = admin.request(instance, Method::POST, ENDPOINTS, Some(definition)).await;
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn status(instance: &Running, name: &str) -> u16 {
    reqwest::get(instance.url(&format!("/api/1/ws/{name}"))).await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_made_changed_and_removed_on_every_instance() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let definition = json!({ "name": "it-chat", "auth": "public", "limits": { "maxSize": 100, "maxMessages": 5 } });
    let (code_of_it, body) = define(&admin, &left, definition).await;
    assert_eq!(
        (code_of_it, &body["data"]["name"], &body["data"]["updatedBy"]),
        (201, &json!("it-chat"), &json!("admin"))
    );
    until_within(LIVE_WITHIN, "it is live", async || status(&right, "it-chat").await == 426).await;
    let mut tab = Tab::open(right.address, "/api/1/ws/it-chat").await;
    assert_eq!(tab.connected["data"]["limits"], json!({ "maxSize": 100, "interval": 1_000, "maxMessages": 5 }));
    let large = tab.ask(json!({ "type": "broadcast", "data": "x".repeat(100) })).await;
    assert_eq!(code(&large), "MESSAGE_TOO_LARGE");
    // Guests may say one thing from now on, then not even be here.
    let listen = json!({ "name": "it-chat", "auth": "public", "publicTypes": ["ping"] });
    assert_eq!(define(&admin, &right, listen).await.0, 200);
    assert_eq!(code(&tab.ask(json!({ "type": "broadcast", "data": 1 })).await), "AUTHENTICATION_REQUIRED");
    tab.expect_nothing().await;
    assert_eq!(define(&admin, &left, json!({ "name": "it-chat", "auth": "user" })).await.0, 200);
    assert_eq!(code(&tab.next().await), "UNAUTHORIZED");
    assert_eq!(tab.see().await, Err(4403));
    assert_eq!(status(&right, "it-chat").await, 401);
    let mut member = Tab::open_as(&admin, right.address, "/api/1/ws/it-chat").await;
    let path = format!("{ENDPOINTS}/it-chat");
    assert_eq!(admin.request(&left, Method::DELETE, &path, None).await.status(), 200);
    assert_eq!(code(&member.next().await), "UNAUTHORIZED");
    assert_eq!(member.see().await, Err(4403));
    for instance in [&left, &right] {
        until_within(LIVE_WITHIN, "it is gone", async || status(instance, "it-chat").await == 404).await;
    }
    assert_eq!(admin.request(&left, Method::DELETE, &path, None).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_is_there_after_a_restart_and_for_a_new_instance() {
    let (redis, mongod) = (Redis::start(), Mongod::shared());
    let uri = mongod.uri(&fresh_database());
    let with_store = |instance| {
        let mut config = config(redis.config(), instance);
        config.mongodb.uri.clone_from(&uri);
        config
    };
    let left = Running::start(with_store("0")).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    for name in ["it-kept", "it-removed"] {
        assert_eq!(define(&admin, &left, json!({ "name": name, "auth": "user", "roles": ["editor"] })).await.0, 201);
    }
    let removed = format!("{ENDPOINTS}/it-removed");
    assert_eq!(admin.request(&left, Method::DELETE, &removed, None).await.status(), 200);
    left.stop().await;
    let right = Running::start(with_store("1")).await;
    until("it is live", async || status(&right, "it-kept").await == 401).await;
    assert_eq!(status(&right, "it-removed").await, 404);
    let listed: Value = admin.request(&right, Method::GET, ENDPOINTS, None).await.json().await.unwrap();
    let (built_in, custom): (Vec<&Value>, Vec<&Value>) =
        listed["data"].as_array().unwrap().iter().partition(|endpoint| endpoint["builtIn"] == true);
    for name in ["hello-emoji", "hello-todo", "jpulse-ws-status", "jpulse-ws-test"] {
        assert!(built_in.iter().any(|endpoint| endpoint["name"] == name), "{name} in {listed}");
    }
    let [kept] = custom[..] else { panic!("{listed}") };
    assert_eq!((&kept["name"], &kept["roles"], &kept["auth"]), (&json!("it-kept"), &json!(["editor"]), &json!("user")));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_make_endpoints_and_only_sensible_ones() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    let admin = Visitor::log_in_as_admin(&instance).await;
    let guest = Visitor::default();
    let fine = json!({ "name": "it-fine", "auth": "public" });
    assert_eq!(define(&guest, &instance, fine).await.0, 401);
    assert_eq!(guest.request(&instance, Method::GET, ENDPOINTS, None).await.status(), 401);
    assert_eq!(guest.request(&instance, Method::DELETE, &format!("{ENDPOINTS}/x"), None).await.status(), 401);
    for wrong in [json!({}), json!({ "name": "a:b", "auth": "public" }), json!({ "name": "a", "auth": "root" })] {
        let (status, body) = define(&admin, &instance, wrong).await;
        assert_eq!((status, &body["code"]), (400, &json!("VALIDATION_ERROR")), "{body}");
    }
    for taken in ["hello-emoji", "jp-broadcast", "stats", "endpoints"] {
        let (status, body) = define(&admin, &instance, json!({ "name": taken, "auth": "public" })).await;
        assert_eq!((status, &body["code"]), (409, &json!("ENDPOINT_EXISTS")), "{body}");
    }
    let built_in = admin.request(&instance, Method::DELETE, &format!("{ENDPOINTS}/hello-emoji"), None).await;
    assert_eq!(built_in.status(), 409);
}
