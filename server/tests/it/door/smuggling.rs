//! Requests that could be read in two ways, and methods nobody needs.

use server::config::Config;

use super::kit::{instance::Running, raw};

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn a_length_told_twice_is_refused_and_nothing_behind_it_is_answered() {
    let instance = Running::start(Config::default()).await;
    for lengths in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5, 6",
        "Content-Length: +5",
        "Content-Length: -1",
        "Content-Length: 0x5",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity, chunked, identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked\r\n Transfer-Encoding: x",
        "X: y\rTransfer-Encoding: chunked",
    ] {
        for first in ["", "GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n"] {
            let request = format!(
                "{first}POST /api/1/helloClusterTodo HTTP/1.1\r\nHost: a\r\n{lengths}\r\n\r\n0\r\n\r\n{SMUGGLED}"
            );
            let answers = raw::send(instance.address, request).await;
            let last = answers.text.rsplit("HTTP/1.1 ").next().unwrap_or_default();
            assert!(last.starts_with("400"), "{lengths}: {}", answers.text);
            assert!(!answers.text.contains("smuggled"), "{lengths}: {}", answers.text);
            assert!(answers.count() <= 2, "{lengths}: {}", answers.text);
        }
    }
}

#[tokio::test]
async fn behind_a_body_in_chunks_the_connection_ends() {
    let instance = Running::start(Config::default()).await;
    let chunks = "POST /api/1/helloClusterTodo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                  e\r\n{\"text\":\"tea\"}\r\n0\r\n\r\n";
    let answers = raw::send(instance.address, format!("{chunks}{SMUGGLED}")).await;
    assert_eq!((answers.status(), answers.count()), (201, 1), "{}", answers.text);
    // In one piece the connection stays.
    let twice = "GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2);
    let last = "GET /api/1/health/status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_eq!(raw::send(instance.address, format!("{twice}{last}")).await.count(), 3);
}

#[tokio::test]
async fn trace_repeats_nothing() {
    let instance = Running::start(Config::default()).await;
    for line in
        ["TRACE /", "TRACE /api/1/helloClusterTodo", "TRACK /", "CONNECT evil.example:80", "PROPFIND /", "DEBUG /"]
    {
        let answer = raw::ask(instance.address, line, "Cookie: id=s3cret\r\nX-Mark: s3cret\r\n").await;
        assert_eq!(answer.status(), 405, "{line}: {}", answer.text);
        assert!(!answer.text.contains("s3cret"), "{line}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_request_has_one_host() {
    let instance = Running::start(Config::default()).await;
    assert_eq!(raw::ask(instance.address, "GET /api/1/health/status", "Host: evil.example\r\n").await.status(), 400);
}
