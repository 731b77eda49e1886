//! The JSON routes, as a program sees them.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use server::config::Config;

use super::kit::instance::Running;

const NEWS: &str = "view:it:news:published";

struct Answer {
    status: StatusCode,
    body: Value,
}

async fn post(instance: &Running, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = Client::new().post(instance.url(path)).header("content-type", "application/json").body(body);
    let response = request.send().await.unwrap();
    Answer { status: response.status(), body: response.json().await.unwrap() }
}

fn broadcast(channel: &str) -> String {
    format!("/api/1/app-cluster/broadcast/{channel}")
}

#[tokio::test]
async fn a_publish_is_answered_with_its_receipt() {
    let instance = Running::start(Config::default()).await;
    let answer = post(&instance, &broadcast(NEWS), json!({ "data": { "n": 1 } }).to_string()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["data"]["instanceId"], instance.id);
    assert_eq!(answer.body["data"]["offset"], 1);
    assert!(answer.body["data"]["timestamp"].as_str().unwrap().ends_with('Z'));
    assert!(answer.body["message"].as_str().unwrap().contains(NEWS));
    assert!(answer.body["elapsed"].is_number());
}

#[tokio::test]
async fn every_wrong_publish_has_its_code() {
    let instance = Running::start(Config::default()).await;
    let good = json!({ "data": {} }).to_string();
    let deep: Value = serde_json::from_str(&format!("{}{}", "[".repeat(64), "]".repeat(64))).unwrap();
    for (channel, body, status, code) in [
        ("view:short", good.clone(), 400, "INVALID_CHANNEL_NAME"),
        ("view:a:b:*", good.clone(), 400, "INVALID_CHANNEL_NAME"),
        ("controller:a:b:c", good.clone(), 403, "FORBIDDEN_CHANNEL"),
        ("model:a:b:c", good.clone(), 403, "FORBIDDEN_CHANNEL"),
        ("view:system:notification:global", good, 403, "FORBIDDEN_CHANNEL"),
        (NEWS, "{}".into(), 400, "INVALID_DATA"),
        (NEWS, json!({ "data": [1] }).to_string(), 400, "INVALID_DATA"),
        (NEWS, json!({ "data": { "x": deep } }).to_string(), 400, "INVALID_DATA"),
        (NEWS, json!({ "data": { "$serde_json::private::Number": "1" } }).to_string(), 400, "INVALID_DATA"),
        (NEWS, "{".into(), 400, "INVALID_JSON"),
        (NEWS, json!({ "data": { "x": "x".repeat(65_536) } }).to_string(), 413, "PAYLOAD_TOO_LARGE"),
    ] {
        let path = broadcast(channel);
        let answer = post(&instance, &path, body).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (status, &json!(code)), "{}", answer.body);
        assert_eq!(answer.body["success"], false);
        assert_eq!(answer.body["path"], path);
    }
}

#[tokio::test]
async fn an_instance_alone_says_so_and_is_well() {
    let instance = Running::start(Config::default()).await;
    let get = async |path: &str| reqwest::get(instance.url(path)).await.unwrap();
    let status: Value = get("/api/1/app-cluster/broadcast/status").await.json().await.unwrap();
    assert_eq!(status["data"]["redisAvailable"], false);
    assert_eq!(status["data"]["redisMode"], "none");
    let health = get("/health").await;
    assert_eq!(health.status(), 200);
    let health: Value = health.json().await.unwrap();
    assert_eq!(health["mongodb"]["mode"], "embedded");
    assert_eq!(get("/api/1/health/status").await.status(), 200);
    let unknown = get("/api/1/no/such/route").await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.json::<Value>().await.unwrap()["code"], "NOT_FOUND");
}

#[tokio::test]
async fn pages_of_other_sites_change_nothing() {
    let instance = Running::start(Config::default()).await;
    for origin in ["null", "http://evil.example", &format!("http://127.0.0.1:{}", instance.address.port() ^ 1)] {
        let request = Client::new().post(instance.url(&broadcast(NEWS))).header("origin", origin);
        assert_eq!(request.json(&json!({ "data": {} })).send().await.unwrap().status(), 403, "{origin}");
    }
    let own = format!("http://{}", instance.address);
    let request = Client::new().post(instance.url(&broadcast(NEWS))).header("origin", own);
    assert_eq!(request.json(&json!({ "data": {} })).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_flood_meets_429_with_a_time_to_come_back() {
    let mut config = Config::default();
    config.limits.requests_per_second = 20;
    let instance = Running::start(config).await;
    let client = Client::new();
    let mut limited = None;
    for _ in 0..2_000 {
        let response = client.post(instance.url(&broadcast(NEWS))).json(&json!({ "data": {} })).send().await.unwrap();
        if response.status() == 429 {
            limited = Some(response);
            break;
        }
    }
    let limited = limited.expect("a flood is limited");
    assert!(limited.headers().contains_key("retry-after"));
    assert_eq!(limited.json::<Value>().await.unwrap()["code"], "RATE_LIMITED");
}
