//! Configuration and feature flags over REST.

use reqwest::{Method, header};
use serde_json::{Value, json};

use super::pair;
use crate::kit::{instance::Running, redis::Redis, until, visitor::Visitor};

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sets_reads_and_removes_values() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let ask = async |instance: &Running, method: Method, path: &str, body: Option<Value>| {
        let response = admin.request(instance, method, path, body).await;
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let path = "/api/1/config/app:name?collection=site";
    assert_eq!(ask(&left, Method::GET, path, None).await.0, 404);
    let (status, body) = ask(&left, Method::PUT, path, Some(json!({ "value": { "title": "Tea" } }))).await;
    assert_eq!((status, &body["data"]["version"]), (200, &json!(1)), "{body}");
    until("it is read on the other", async || {
        let (status, body) = ask(&right, Method::GET, path, None).await;
        status == 200 && body["data"]["value"] == json!({ "title": "Tea" })
    })
    .await;
    assert_eq!(ask(&right, Method::GET, "/api/1/config/app:name", None).await.0, 404, "another collection");
    assert_eq!(ask(&right, Method::DELETE, path, None).await.0, 200);
    assert_eq!(ask(&right, Method::DELETE, path, None).await.0, 404);
    until("it is gone", async || ask(&left, Method::GET, path, None).await.0 == 404).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_be_no_document_is_refused() {
    let redis = Redis::start();
    let (left, _right, _mongod) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let body = || Some(json!({ "value": 1 }));
    for path in [
        "$where",
        ".a",
        "",
        "a%2Fb",
        "a%20b",
        "a:updated",
        "a?collection=users",
        "a?collection=$x",
        "a?collection=system.users",
        "a?collection=",
    ] {
        for method in [Method::GET, Method::PUT] {
            let path = format!("/api/1/config/{path}");
            assert_eq!(admin.request(&left, method, &path, body()).await.status(), 400, "{path}");
        }
    }
    for body in [json!({}), json!({ "value": null }), json!([1])] {
        assert_eq!(admin.request(&left, Method::PUT, "/api/1/config/a", Some(body)).await.status(), 400);
    }
    for (kilobytes, status) in [(63, 200), (65, 400), (400, 400), (600, 413)] {
        let large = Some(json!({ "value": "x".repeat(kilobytes * 1024) }));
        assert_eq!(admin.request(&left, Method::PUT, "/api/1/config/a", large).await.status(), status, "{kilobytes}");
    }
    assert_eq!(admin.request(&left, Method::GET, "/api/1/config/b", None).await.status(), 404);
    assert_eq!(redis.command("GET jpulse:dev:config:config:b"), "$4\r\nnull\r\n");
    let ttl: i64 = redis.command("TTL jpulse:dev:config:config:b").trim()[1..].parse().unwrap();
    assert!((0..=30).contains(&ttl), "{ttl}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_overtaken_is_told() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let client = reqwest::Client::new();
    let put = async |instance: &Running, version: &str| {
        let request = client.put(instance.url("/api/1/config/a")).header(header::COOKIE, admin.cookie().unwrap());
        let response = request.header(header::IF_MATCH, version).json(&json!({ "value": 1 })).send().await.unwrap();
        let etag = response.headers().get(header::ETAG).map(|etag| etag.to_str().unwrap().to_owned());
        (response.status().as_u16(), etag, response.json::<Value>().await.unwrap())
    };
    assert_eq!(put(&left, "0").await.1.as_deref(), Some("\"1\""));
    assert_eq!(put(&right, "\"1\"").await.0, 200);
    let (status, _, body) = put(&left, "\"1\"").await;
    assert_eq!((status, &body["code"], &body["details"]["version"]), (409, &json!("VERSION_CONFLICT"), &json!(2)));
    assert_eq!(put(&left, "latest").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feature_is_switched_by_administrators_and_known_to_everybody() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    let (admin, guest) = (Visitor::log_in_as_admin(&left).await, Visitor::default());
    let path = "/api/1/features/new_ui";
    let enabled = async |instance: &Running| {
        let response = guest.request(instance, Method::GET, path, None).await;
        assert_eq!(response.status(), 200);
        response.json::<Value>().await.unwrap()["enabled"].as_bool().unwrap()
    };
    assert!(!enabled(&left).await && !enabled(&right).await);
    assert_eq!(guest.request(&left, Method::PUT, path, Some(json!({ "enabled": true }))).await.status(), 401);
    for wrong in [json!({}), json!({ "enabled": "yes" }), json!({ "enabled": 1 })] {
        assert_eq!(admin.request(&left, Method::PUT, path, Some(wrong)).await.status(), 400);
    }
    for on in [true, false] {
        let body = json!({ "enabled": on, "metadata": { "why": "a test" } });
        assert_eq!(admin.request(&left, Method::PUT, path, Some(body)).await.status(), 200);
        assert_eq!(enabled(&left).await, on);
        until("the other knows", async || enabled(&right).await == on).await;
    }
    let ttl: i64 = redis.command("TTL jpulse:dev:config:features:feature:new_ui").trim()[1..].parse().unwrap();
    assert!((0..=60).contains(&ttl), "{ttl}");
}
