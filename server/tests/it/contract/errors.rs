//! Errors below `/api/` and `/ws/` are JSON, whether a handler, an extractor, the router or hyper refuses.

use std::{collections::BTreeSet, fs, path::Path};

use super::*;
use crate::kit::raw;

/// What stands for a path parameter that is no text.
const NOT_UTF8: &str = "%FF";

/// Every route of the API, as the sources register it.
fn routes() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let mut routes = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let Ok(text) = fs::read_to_string(entry.unwrap().path()) else { continue };
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        let literals = lines.flat_map(|line| line.split('"').skip(1).step_by(2)).map(str::to_owned);
        routes.extend(literals.filter(|text| text.starts_with("/api") || text.starts_with("/ws")));
    }
    routes
}

/// A path of this route with `value` for each of its parameters.
fn path(route: &str, value: &str) -> String {
    let segment = |segment: &str| if segment.starts_with('{') { value.to_owned() } else { segment.to_owned() };
    route.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// What is sent to a route.
struct Sent<'a> {
    method: &'a str,
    path: String,
    query: &'a str,
    body: Option<&'a str>,
    content_type: &'a str,
}

/// Whether it was refused. A refusal is an envelope with the path that was asked for.
async fn is_refused(client: &reqwest::Client, visitor: &Visitor, instance: &Running, sent: &Sent<'_>) -> bool {
    let Sent { method, path, query, body, content_type } = sent;
    let what = format!("{method} {path}{query} {:.20}", body.unwrap_or_default());
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = client.request(method, instance.url(&format!("{path}{query}")));
    if let Some(cookie) = visitor.cookie() {
        request = request.header("Cookie", cookie);
    }
    if let Some(body) = body {
        request = request.header("Content-Type", *content_type).body((*body).to_owned());
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return false;
    }
    let kind = response.headers().get("Content-Type").map(|kind| kind.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    assert_eq!(kind.as_deref(), Some("application/json"), "{what}: {status} {text:.80}");
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{what}: {status} {text:.80}"));
    assert_eq!((&body["success"], &body["path"]), (&json!(false), &json!(path)), "{what}: {body}");
    assert!(body["code"].is_string() && body["error"].is_string(), "{what}: {body}");
    assert_ne!(body["code"], "INTERNAL_ERROR", "{what}: {body}");
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_in_json_whatever_is_wrong() {
    let redis = Redis::start();
    let mut with_limits = config(redis.config(), "0");
    with_limits.limits.requests_per_second = 1_000_000;
    let instance = Running::start(with_limits).await;
    let admin = Visitor::log_in_as_admin(&instance).await;
    let routes = routes();
    assert!(routes.len() > 40, "{routes:?}");
    let large = format!("\"{}\"", "x".repeat(600_000));
    // Each request has a connection of its own: behind a body that nobody read it ends.
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let (instance, client) = (&instance, &client);
    for route in &routes {
        // As a guest for what comes before anybody is asked for, as an administrator for what comes behind.
        for visitor in [&Visitor::default(), &admin] {
            // A session that ends would hide what comes behind it.
            if route.contains("/logout") && visitor.cookie().is_some() {
                continue;
            }
            let sent = |method, path: String, query, body, content_type| {
                let sent = Sent { method, path, query, body, content_type };
                async move { is_refused(client, visitor, instance, &sent).await }
            };
            let (good, json) = (path(route, "x"), "application/json");
            if route.contains('{') {
                for method in ["GET", "POST", "PUT", "DELETE"] {
                    let malformed = path(route, NOT_UTF8);
                    assert!(sent(method, malformed.clone(), "", None, json).await, "{method} {malformed}");
                }
            }
            for method in ["PATCH", "OPTIONS", "TRACE"] {
                assert!(sent(method, good.clone(), "", None, json).await, "{method} {good}");
            }
            let wrong = "?limit=x&cursor=%FF&minutes=x&count=-1&channel=%FF&uuid=%FF&collection=%FF&since=%FF";
            // An event stream or a page of results may be the answer: dropped.
            sent("GET", good.clone(), wrong, None, json).await;
            sent("DELETE", good.clone(), wrong, None, json).await;
            for method in ["POST", "PUT"] {
                for body in ["{", "\u{feff}{}", "[]", "7", ""] {
                    sent(method, good.clone(), "", Some(body), json).await;
                }
                for content_type in ["text/plain", "multipart/form-data", "nonsense"] {
                    sent(method, good.clone(), "", Some("{"), content_type).await;
                }
                // A route that reads no body does not mind.
                sent(method, good.clone(), "", Some(&large), json).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_route_is_refused_in_json() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    let guest = Visitor::default();
    for (path, code) in [
        ("/api", "NOT_FOUND"),
        ("/api/", "NOT_FOUND"),
        ("/api/1", "NOT_FOUND"),
        ("/api/1/", "NOT_FOUND"),
        ("/api/2/anything", "NOT_FOUND"),
        ("/api/%FF", "NOT_FOUND"),
        ("/api/1/nothing/%FF", "NOT_FOUND"),
        ("/api/1/ws/", "NOT_FOUND"),
        ("/api/1/ws/nothing", "UNKNOWN_ENDPOINT"),
        ("/api/1/ws/nothing/deeper/and/deeper", "UNKNOWN_ENDPOINT"),
        ("/api/1/ws/%FF", "VALIDATION_ERROR"),
        ("/api/1/ws/hello-emoji/%FF/x", "VALIDATION_ERROR"),
        ("/ws", "UNKNOWN_ENDPOINT"),
        ("/ws/", "UNKNOWN_ENDPOINT"),
        ("/ws/nothing", "UNKNOWN_ENDPOINT"),
        ("/ws/%FF", "VALIDATION_ERROR"),
        ("/ws/a/%FF", "VALIDATION_ERROR"),
    ] {
        let response = guest.request(&instance, Method::GET, path, None).await;
        let status = if code == "VALIDATION_ERROR" { 400 } else { 404 };
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()["content-type"], "application/json", "{path}");
        let body: Value = response.json().await.unwrap();
        assert_eq!((&body["success"], &body["code"]), (&json!(false), &json!(code)), "{path}: {body}");
        assert_eq!(body["path"], path);
    }
    // Pages stay pages.
    let page = guest.request(&instance, Method::GET, "/apiary", None).await;
    assert_eq!(
        (page.status().as_u16(), page.headers()["content-type"].to_str().unwrap().contains("html")),
        (404, true)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_refused_in_json() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    let long = "x".repeat(80 * 1024);
    for (line, head, path) in [
        ("GET /api/1/ws/\u{1}", "", "/api/1/ws/"),
        ("GET /api/1/a<\u{7f}>", "", "/api/1/a<"),
        ("POST /api/1/broadcast", "Content-Length: x\r\n", "/api/1/broadcast"),
        ("POST /api/1/broadcast", "No colon\r\n", "/api/1/broadcast"),
        ("POST /api/1/broadcast", &format!("Long: {long}\r\n"), "/api/1/broadcast"),
    ] {
        let answers = raw::ask(instance.address, line, head).await;
        assert!((400..500).contains(&answers.status()), "{line}: {answers:?}");
        assert_eq!(answers.count(), 1, "{line}: {answers:?}");
        let (answered, body) = answers.text.split_once("\r\n\r\n").unwrap();
        assert!(answered.to_lowercase().contains("content-type: application/json"), "{line}: {answers:?}");
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!((&body["success"], &body["path"]), (&json!(false), &json!(path)), "{line}: {body}");
        assert!(body["code"].is_string() && body["error"].is_string(), "{line}: {body}");
    }
}
