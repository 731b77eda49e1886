//! Errors say who met them and where in the program they come from, and nothing that is private.

use reqwest::Method;
use serde_json::{Value, json};
use server::{config::RedisConfig, metrics::ErrorContext};

use super::{ask, config};
use crate::kit::{
    instance::Running,
    mongod::{Mongod, fresh_database},
    proxy::{Proxy, Rule},
    until,
    visitor::Visitor,
};

const TODOS: &str = "/api/1/helloClusterTodo";

#[tokio::test(flavor = "multi_thread")]
async fn an_error_names_the_user_and_the_place_in_the_program() {
    let mongod = Mongod::shared();
    let proxy = Proxy::start(([127, 0, 0, 1], mongod.port()).into()).await.unwrap();
    let mut config = config(RedisConfig::default(), "web-01", "0");
    config.mongodb.uri = format!("mongodb://{}/{}", proxy.address(), fresh_database());
    let instance = Running::start(config).await;
    let admin = Visitor::default();
    until("the store answers", async || admin.log_in(&instance, "admin", crate::kit::visitor::PASSWORD).await.0 == 200)
        .await;
    let me = ask(&admin, &instance, "/api/1/auth/status").await;
    proxy.set(Rule::refuse());
    proxy.reset();
    let body = Some(json!({ "text": "a secret of the title" }));
    let failed = admin.request(&instance, Method::POST, TODOS, body.clone()).await;
    assert_eq!(failed.status(), 503);
    let failed = Visitor::default().request(&instance, Method::POST, TODOS, body).await;
    assert_eq!(failed.status(), 503);
    proxy.set(Rule::default());
    let errors = ask(&admin, &instance, "/api/1/metrics/errors/recent").await["data"]["errors"].take();
    let errors = errors.as_array().unwrap();
    let [guest, user, ..] = &errors[..] else { panic!("{errors:?}") };
    assert_eq!((&user["context"]["userId"], &guest["context"]["userId"]), (&me["user"]["id"], &Value::Null));
    for error in [guest, user] {
        assert_eq!((&error["context"]["url"], &error["context"]["method"]), (&json!(TODOS), &json!("POST")));
        let stack = error["stack"].as_str().unwrap();
        let lines: Vec<&str> = stack.lines().collect();
        assert!(lines[0].starts_with("STORE_UNAVAILABLE: "), "{stack}");
        assert!(lines[1].starts_with("    at ") && lines[1].contains("http/todos.rs:"), "{stack}");
        let text = error.to_string();
        assert!(!text.contains("a secret of the title") && !text.contains("mongodb://"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_site_reports_by_itself_has_its_own_place() {
    let instance = Running::start(config(RedisConfig::default(), "web-01", "0")).await;
    let context = ErrorContext { url: "import".into(), ..ErrorContext::default() };
    instance.metrics.track_error("the import stopped", context);
    let admin = Visitor::log_in_as_admin(&instance).await;
    let errors = ask(&admin, &instance, "/api/1/metrics/errors/recent").await["data"]["errors"].take();
    let stack = errors[0]["stack"].as_str().unwrap();
    assert!(stack.starts_with("the import stopped\n    at ") && stack.contains("metrics/blame.rs:"), "{stack}");
}
