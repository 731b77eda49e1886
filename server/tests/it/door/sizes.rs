//! Requests that are too large.

use reqwest::Client;
use server::config::Config;

use super::{
    TODOS,
    kit::{instance::Running, raw},
    titles,
};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let instance = Running::start(Config::default()).await;
    for (line, head) in [(format!("POST {TODOS}"), ""), ("POST /fn/todo-add".to_owned(), FORM)] {
        let huge = raw::ask(instance.address, &line, &format!("{head}Content-Length: 10000000000\r\n")).await;
        assert_eq!(huge.status(), 413, "{line}: {}", huge.text);
        assert!(huge.text.contains("PAYLOAD_TOO_LARGE"), "{}", huge.text);
    }
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_is_refused_with_its_code() {
    let instance = Running::start(Config::default()).await;
    let large = "x".repeat(70_000);
    for (path, kind, body) in [
        (TODOS, "application/json", format!(r#"{{"text":"{large}"}}"#)),
        ("/fn/todo-add", "application/x-www-form-urlencoded", format!("text={large}")),
        ("/fn/notification-send", "application/x-www-form-urlencoded", format!("name=a&message={large}")),
    ] {
        let request = Client::new().post(instance.url(path)).header("content-type", kind).body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 413, "{path}");
        assert_eq!(response.json::<serde_json::Value>().await.unwrap()["code"], "PAYLOAD_TOO_LARGE");
    }
    assert_eq!(titles(&instance).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_endless_body_in_chunks_is_cut() {
    let instance = Running::start(Config::default()).await;
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    for (path, head) in [(TODOS, ""), ("/fn/todo-add", FORM)] {
        let start = format!("POST {path} HTTP/1.1\r\nHost: a\r\n{head}Transfer-Encoding: chunked\r\n\r\n");
        let answer = raw::send(instance.address, start + &chunk.repeat(200)).await;
        // Where the answer is lost to what is still being sent, the connection is gone all the same.
        assert!([413, 0].contains(&answer.status()), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn heads_have_their_bounds_in_bytes_and_in_lines() {
    let instance = Running::start(Config::default()).await;
    let long = format!("X-Long: {}\r\n", "x".repeat(80_000));
    let many: String = (0..200).map(|number| format!("X-{number}: x\r\n")).collect();
    for (line, head, statuses) in [
        ("GET /".to_owned(), long.as_str(), [431, 431]),
        ("GET /".to_owned(), many.as_str(), [431, 431]),
        (format!("GET /{}", "a".repeat(9_000)), "", [414, 414]),
        (format!("GET /api/1/helloClusterTodo?cursor={}", "a".repeat(9_000)), "", [414, 414]),
        (format!("GET /{}", "a".repeat(80_000)), "", [414, 431]),
    ] {
        let answer = raw::ask(instance.address, &line, head).await;
        assert!(statuses.contains(&answer.status()), "{line:.40} {head:.20}: {:.200}", answer.text);
    }
    assert_eq!(raw::ask(instance.address, "GET /api/1/health/status", "").await.status(), 200);
}
