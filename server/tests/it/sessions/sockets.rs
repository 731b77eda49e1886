//! Sockets die with their session, and carry the user's name.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use server::{account::Accounts, config::Config, store::Store};
use tokio::time::{sleep, timeout};

use super::{OVER_WITHIN, Running, Visitor, config, pair};
use crate::kit::{
    mongod::{Mongod, fresh_database},
    redis::Redis,
};

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_on_one_instance_ends_the_sockets_on_the_other() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let (visitor, other) = (Visitor::log_in_as_admin(&left).await, Visitor::log_in_as_admin(&left).await);
    let (mut here, name) = visitor.open_socket(&left).await;
    assert_eq!(name, "admin");
    let (mut there, _) = visitor.open_socket(&right).await;
    let (mut others, _) = other.open_socket(&right).await;
    let mut guest = right.open_browser().await;
    visitor.post(&left, "/api/1/auth/logout").await;
    timeout(OVER_WITHIN, here.expect_session_over()).await.expect("here");
    timeout(OVER_WITHIN, there.expect_session_over()).await.expect("there");
    other.post(&left, "/api/1/auth/logout-all").await;
    timeout(OVER_WITHIN, others.expect_session_over()).await.expect("everywhere");
    guest.expect_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_names_the_user_who_published_it() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let visitor = Visitor::log_in_as_admin(&left).await;
    let mut browser = right.open_browser().await;
    browser.subscribe("view:it:list:changed").await;
    let path = "/api/1/app-cluster/broadcast/view:it:list:changed";
    visitor.request(&left, Method::POST, path, Some(json!({ "data": { "a": 1 } }))).await;
    let frame = browser.next().await;
    assert_eq!(frame["data"]["ctx"], json!({ "username": "admin" }), "{frame}");
    let todo = visitor.request(&left, Method::POST, "/api/1/helloClusterTodo", Some(json!({ "text": "tea" }))).await;
    let todo: serde_json::Value = todo.json().await.unwrap();
    assert_eq!(todo["todo"]["username"], "admin", "{todo}");
}

/// Two instances on one MongoDB, and a program beside them that changes accounts.
async fn on_mongodb(redis: &Redis, mongod: &Mongod) -> (Running, Running, Accounts) {
    let uri = mongod.uri(&fresh_database());
    let with_store = |instance| {
        let mut config = config(redis.config(), instance);
        config.mongodb.uri.clone_from(&uri);
        config
    };
    let left = Running::start(with_store("0")).await;
    let right = Running::start(with_store("1")).await;
    (left, right, Accounts::new(&Store::mongo(&uri).await.unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_user_is_out_everywhere() {
    let (redis, mongod) = (Redis::start(), Mongod::shared());
    let (left, right, accounts) = on_mongodb(&redis, &mongod).await;
    accounts.create("Mona", "a password of hers", &[]).await.unwrap();
    let mona = Visitor::default();
    assert_eq!(mona.log_in(&left, "mona", "a password of hers").await.0, 200);
    let (mut socket, name) = mona.open_socket(&right).await;
    assert_eq!(name, "Mona");
    accounts.delete("Mona").await.unwrap();
    timeout(OVER_WITHIN, socket.expect_session_over()).await.expect("in time");
    for instance in [&left, &right] {
        assert_eq!(mona.name(instance).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_lost_a_role_has_to_sign_in_again() {
    let (redis, mongod) = (Redis::start(), Mongod::shared());
    let (left, right, accounts) = on_mongodb(&redis, &mongod).await;
    let roles = ["editor".to_owned(), "author".to_owned()];
    accounts.create("mona", "a password of hers", &roles).await.unwrap();
    let mona = Visitor::default();
    assert_eq!(mona.log_in(&left, "mona", "a password of hers").await.0, 200);
    let (mut socket, _) = mona.open_socket(&right).await;
    accounts.replace("mona", "a password of hers", &roles[..1]).await.unwrap();
    timeout(OVER_WITHIN, socket.expect_session_over()).await.expect("in time");
    let (status, body) = mona.log_in(&right, "mona", "a password of hers").await;
    assert_eq!((status, &body["user"]["roles"]), (200, &json!(["editor"])));
    assert_eq!(mona.name(&left).await.as_deref(), Some("mona"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_mongodb_lets_nobody_in_and_stops_nothing_else() {
    let port = Mongod::start().port();
    let mut config: Config = config(server::config::RedisConfig::default(), "0");
    config.mongodb.uri = format!("mongodb://127.0.0.1:{port}/late?serverSelectionTimeoutMS=200");
    let instance = Running::start(config).await;
    let visitor = Visitor::default();
    let (status, body) = visitor.log_in(&instance, "admin", crate::kit::visitor::PASSWORD).await;
    assert_eq!((status, &body["code"]), (503, &json!("STORE_UNAVAILABLE")));
    assert_eq!(visitor.name(&instance).await, None);
    let _mongod = Mongod::start_on(port);
    crate::kit::until("the admin can sign in", async || {
        // More often would be too often for one address until the account is made.
        sleep(Duration::from_secs(1)).await;
        visitor.log_in(&instance, "admin", crate::kit::visitor::PASSWORD).await.0 == 200
    })
    .await;
}
