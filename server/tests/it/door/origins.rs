//! Pages of other sites.

use reqwest::{Client, StatusCode};
use serde_json::Value;
use server::config::{Config, Origin};

use super::{
    TODOS,
    kit::{events::Events, instance::Running, raw},
    titles,
};

const FORM: &str = "application/x-www-form-urlencoded";

/// Where pages are that are not ours, though they would like to look so.
fn foreign(instance: &Running) -> Vec<String> {
    let (own, port) = (instance.address, instance.address.port());
    vec![
        "null".into(),
        "http://evil.example".into(),
        format!("https://{own}"),
        format!("http://127.0.0.1:{}", port ^ 1),
        "http://127.0.0.1".into(),
        format!("http://localhost:{port}"),
        format!("http://{own}.evil.example"),
        format!("http://evil.example/{own}"),
        format!("http://{own}@evil.example"),
        format!("http://evil-{own}"),
        format!("http://{own}/"),
        "file://".into(),
        String::new(),
    ]
}

async fn post(instance: &Running, path: &str, head: &[(&str, &str)], body: &str) -> (StatusCode, Value) {
    let mut request = Client::new().post(instance.url(path)).body(body.to_owned());
    for (name, value) in head {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let instance = Running::start(Config::default()).await;
    for origin in foreign(&instance) {
        for site in [None, Some("cross-site"), Some("same-site")] {
            let mut head = vec![("content-type", FORM), ("accept", "text/html"), ("origin", origin.as_str())];
            head.extend(site.map(|site| ("sec-fetch-site", site)));
            let (status, body) = post(&instance, "/fn/todo-add", &head, "text=forged").await;
            assert_eq!((status.as_u16(), body["code"].as_str()), (403, Some("FORBIDDEN_ORIGIN")), "{origin} {site:?}");
            assert_eq!((body["success"].as_bool(), body["path"].as_str()), (Some(false), Some("/fn/todo-add")));
        }
    }
    // A browser that sends no `Origin` with a form warns all the same.
    let head = [("content-type", FORM), ("sec-fetch-site", "cross-site")];
    assert_eq!(post(&instance, "/fn/todo-add", &head, "text=forged").await.0, 403);
    assert_eq!(titles(&instance).await, Vec::<String>::new());
}

#[tokio::test]
async fn json_that_another_site_posts_as_plain_text_changes_nothing() {
    let instance = Running::start(Config::default()).await;
    for kind in ["text/plain", FORM, "multipart/form-data; boundary=x", "application/json"] {
        let head = [("content-type", kind), ("origin", "http://evil.example")];
        let (status, body) = post(&instance, TODOS, &head, r#"{"text":"forged","a":"="}"#).await;
        assert_eq!((status.as_u16(), body["code"].as_str()), (403, Some("FORBIDDEN_ORIGIN")), "{kind}");
    }
    assert_eq!(titles(&instance).await, Vec::<String>::new());
}

#[tokio::test]
async fn our_own_pages_and_programs_get_in() {
    let instance = Running::start(Config::default()).await;
    let own = format!("http://{}", instance.address);
    let form = ("content-type", FORM);
    let cases: [&[(&str, &str)]; 4] = [
        &[form],
        &[form, ("origin", &own)],
        &[form, ("origin", &own), ("sec-fetch-site", "same-origin")],
        &[form, ("sec-fetch-site", "none")],
    ];
    for head in cases {
        let (status, _) = post(&instance, "/fn/todo-add", head, "text=ours").await;
        assert!(status.is_success(), "{status} {head:?}");
    }
    assert_eq!(titles(&instance).await, ["ours"; 4]);
}

#[tokio::test]
async fn a_page_of_another_site_gets_no_socket_and_no_stream() {
    let instance = Running::start(Config::default()).await;
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for origin in foreign(&instance) {
        for path in ["/api/1/ws/jp-broadcast", "/ws/jp-broadcast"] {
            let head = format!(
                "GET {path} HTTP/1.1\r\nHost: {}\r\n{upgrade}Origin: {origin}\r\n\r\n\
                 GET /robots.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                instance.address
            );
            let refused = raw::send(instance.address, head).await;
            assert_eq!(refused.status(), 403, "{origin}: {}", refused.text);
            assert!(refused.text.contains("FORBIDDEN_ORIGIN"), "{}", refused.text);
        }
        let stream = Events::open(instance.address, "channel=view:a:b:c", &[("Origin", &origin)]).await;
        assert_eq!(stream.status, 403, "{origin}");
    }
    let own = format!("http://{}", instance.address);
    assert_eq!(Events::open(instance.address, "channel=view:a:b:c", &[("Origin", &own)]).await.status, 200);
    let head = [("Sec-Fetch-Site", "cross-site")];
    assert_eq!(Events::open(instance.address, "channel=view:a:b:c", &head).await.status, 403);
}

#[tokio::test]
async fn a_site_that_knows_where_it_is_believes_no_host() {
    let mut config = Config::default();
    config.server.origins = vec![Origin::try_from("https://site.example".to_owned()).unwrap()];
    let instance = Running::start(config).await;
    let form = ("content-type", FORM);
    // As after a name of somebody else's was pointed at us.
    let rebound = [form, ("host", "evil.example"), ("origin", "http://evil.example")];
    assert_eq!(post(&instance, "/fn/todo-add", &rebound, "text=forged").await.0, 403);
    let own = [form, ("origin", "https://site.example")];
    assert!(post(&instance, "/fn/todo-add", &own, "text=ours").await.0.is_success());
    assert_eq!(titles(&instance).await, ["ours"]);
}

#[tokio::test]
async fn what_only_reads_is_for_everybody() {
    let instance = Running::start(Config::default()).await;
    for path in ["/", TODOS, "/api/1/health/status"] {
        let request = Client::new().get(instance.url(path));
        let request = request.header("origin", "http://evil.example").header("sec-fetch-site", "cross-site");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert!(!response.headers().contains_key("access-control-allow-origin"), "{path} is for no foreign script");
    }
}
