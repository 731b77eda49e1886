//! What every answer carries.

use std::collections::HashSet;

use reqwest::{Client, Response};
use server::config::Config;

use super::{TODOS, kit::instance::Running};

const PAGES: [&str; 11] = [
    "/",
    "/hello-app-cluster/",
    "/hello-app-cluster/notifications",
    "/hello-app-cluster/collaborative-todo",
    "/hello-app-cluster/code-examples",
    "/hello-app-cluster/architecture",
    "/hello-spa/",
    "/hello-spa/todo",
    "/hello-spa/notifications",
    "/hello-spa/about",
    "/no-such-page",
];

/// The value of a header, in lower case; empty when it is not there.
fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_lowercase()).unwrap_or_default()
}

#[tokio::test]
async fn every_answer_says_what_browsers_may_not_do_with_it() {
    let instance = Running::start(Config::default()).await;
    std::fs::create_dir_all(instance.site_root().join("pkg")).unwrap();
    std::fs::write(instance.site_root().join("pkg/a.0.js"), "1").unwrap();
    std::fs::write(instance.site_root().join("plain.html"), "<p>plain</p>").unwrap();
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let mut answers = Vec::new();
    let get = |path: &str| client.get(instance.url(path));
    for path in PAGES {
        answers.push(get(path));
    }
    for path in ["/pkg/a.0.js", "/pkg/none.js", "/plain.html", TODOS, "/api/1/none", "/health", "/api/1/health/status"]
    {
        answers.push(get(path));
    }
    let events = "/api/1/app-cluster/events";
    let address = "x".repeat(9_000);
    answers.extend([
        get("/hello-spa"),
        get(events),
        get(&format!("{events}?channel=view:a:b:c")),
        get("/api/1/ws/jp-broadcast"),
        get("/api/1/ws/none"),
        get(&format!("/{address}")),
        client.head(instance.url("/")),
        client.post(instance.url(TODOS)).body("{"),
        client.post(instance.url(TODOS)).body("x".repeat(70_000)),
        client.post(instance.url("/fn/todo-add")).header("origin", "null"),
        client.post(instance.url("/fn/none")),
        client.put(instance.url("/")),
        client.request("TRACE".parse().unwrap(), instance.url("/")),
    ]);
    for request in answers {
        let response = request.send().await.unwrap();
        let what =
            format!("{} {}", response.status(), response.url().path().get(..40).unwrap_or(response.url().path()));
        assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{what}");
        assert!(!header(&response, "referrer-policy").is_empty(), "{what}");
        assert!(header(&response, "permissions-policy").contains("camera=()"), "{what}");
        assert_eq!(header(&response, "cross-origin-opener-policy"), "same-origin", "{what}");
        assert_eq!(header(&response, "cross-origin-resource-policy"), "same-origin", "{what}");
        assert_eq!(header(&response, "strict-transport-security"), "", "{what}: without encryption");
        let (kind, policy) = (header(&response, "content-type"), header(&response, "content-security-policy"));
        if kind.starts_with("text/html") {
            for part in ["object-src 'none'", "base-uri", "frame-ancestors"] {
                assert!(policy.contains(part), "{what}: {policy}");
            }
        }
        if kind.starts_with("application/json") {
            assert!(policy.contains("default-src 'none'"), "{what}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{what}: {policy}");
    }
}

#[tokio::test]
async fn each_page_has_a_nonce_of_its_own_and_nothing_inline_without_it() {
    let instance = Running::start(Config::default()).await;
    let mut nonces = HashSet::new();
    for path in PAGES {
        let response = reqwest::get(instance.url(path)).await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert!(nonce.len() >= 22, "{nonce}");
        for part in ["default-src 'self'", &format!("script-src 'self' 'nonce-{nonce}'"), "form-action 'self'"] {
            assert!(policy.contains(part), "{policy}");
        }
        let html = response.text().await.unwrap();
        for tag in html.split("<script").skip(1).chain(html.split("<style").skip(1)) {
            let tag = tag.split('>').next().unwrap();
            assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{path}: {tag}");
        }
        for tag in html.split('<').skip(1).map(|tag| tag.split('>').next().unwrap()) {
            assert!(!tag.contains(" style=") && !tag.contains(" onclick=") && !tag.contains("javascript:"), "{tag}");
        }
        assert!(nonces.insert(nonce), "{path}: a nonce is given once");
    }
}
