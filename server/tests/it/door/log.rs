//! What the log holds after a day of this.

use std::net::SocketAddr;

use reqwest::Client;
use serde_json::json;

use super::{
    TODOS, client_from,
    kit::{program::Program, raw},
};

/// Stands in everything that must not be logged.
const SECRET: &str = "s3cr3t";
/// Where the visitor comes from.
const VISITOR: u8 = 77;

/// All that can be wrong with a request, with a secret wherever one can stand.
async fn be_hostile(client: &Client, address: SocketAddr) {
    let url = |path: &str| format!("http://{address}{path}");
    let marked = |request: reqwest::RequestBuilder| {
        request
            .header("cookie", format!("id={SECRET}"))
            .header("authorization", format!("Bearer {SECRET}"))
            .header("x-forwarded-for", "203.0.113.99")
            .header("user-agent", format!("Mozilla {SECRET}"))
            .header("x-jpulse-uuid", SECRET)
    };
    let form = ("content-type", "application/x-www-form-urlencoded");
    for request in [
        client.get(url(&format!("/?token={SECRET}"))),
        client.get(url(&format!("/no-{SECRET}"))),
        client.get(url(&format!("/api/1/none?{SECRET}"))),
        client.get(url(&format!("/api/1/ws/jp-broadcast?uuid={SECRET}"))),
        client.get(url(&format!("/api/1/app-cluster/events?channel=model:a:b:{SECRET}"))),
        client.post(url(TODOS)).json(&json!({ "text": SECRET })),
        client.post(url(TODOS)).body(format!("{{{SECRET}")),
        client.post(url(TODOS)).body(SECRET.repeat(20_000)),
        client.put(url(&format!("{TODOS}/{SECRET}/toggle"))),
        client.post(url("/fn/todo-add")).header(form.0, form.1).body(format!("text={SECRET}")),
        client.post(url("/fn/todo-add")).header(form.0, form.1).body(format!("{SECRET}=%ff")),
        client.post(url("/fn/todo-add")).header("origin", format!("http://{SECRET}.example")).body(SECRET),
        client.post(url("/api/1/app-cluster/broadcast/view:a:b:c")).json(&json!({ "data": { "a": SECRET } })),
        client.request("TRACE".parse().unwrap(), url("/")),
    ] {
        marked(request).send().await.unwrap();
    }
    for _ in 0..50 {
        marked(client.put(url(&format!("{TODOS}/{SECRET}/toggle")))).send().await.unwrap();
    }
    for text in [
        format!("GET / HTTP/1.1\r\nHost: a\r\nCookie {SECRET}\r\n\r\n"),
        format!("{SECRET} / HTTP/9.9\r\n\r\n"),
        format!("POST {TODOS} HTTP/1.1\r\nHost: {SECRET}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
        format!("POST {TODOS} HTTP/1.1\r\nHost: a\r\nContent-Length: {SECRET}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", SECRET.repeat(20_000)),
    ] {
        raw::send(address, text).await;
    }
}

#[tokio::test]
async fn a_hostile_day_leaves_no_secret_no_body_and_no_address_in_the_log() {
    for filter in ["info", "trace"] {
        // The real program, which logs whatever it can.
        let variables = [("JPULSE__LOG__FILTER", filter), ("JPULSE__LIMITS__REQUESTS_PER_SECOND", "10")];
        let program = Program::start(&variables).await;
        let address = program.address;
        be_hostile(&client_from(VISITOR), address).await;
        let log = program.stop().await;
        assert!(log.contains("listening on"), "{log}");
        for word in [SECRET, "203.0.113.99", &format!("127.0.0.{VISITOR}"), "Mozilla", "Bearer", "panicked"] {
            let found: Vec<_> = log.lines().filter(|line| line.contains(word)).take(5).collect();
            assert!(found.is_empty(), "at {filter}, {word} is in the log: {found:#?}");
        }
    }
}
