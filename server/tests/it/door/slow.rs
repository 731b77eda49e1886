//! Clients that take their time, and many of them.

use std::time::{Duration, Instant};

use server::config::Config;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::kit::{instance::Running, raw, until};

/// What a slow client may take at most until it is cut off.
const CUT_WITHIN: Duration = Duration::from_secs(40);
const HALF: &str = "GET / HTTP/1.1\r\nHost: slow.example\r\nX-Slow:";

async fn half_open(instance: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(instance.address).await.unwrap();
    stream.write_all(HALF.as_bytes()).await.unwrap();
    stream
}

async fn is_ended(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    matches!(timeout(Duration::from_millis(1), stream.read(&mut byte)).await, Ok(Ok(0) | Err(_)))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_half_open_connections_hold_nobody_up() {
    let instance = Running::start(Config::default()).await;
    let mut held = Vec::new();
    for _ in 0..2_000 {
        held.push(half_open(&instance).await);
    }
    let mut times = Vec::new();
    for _ in 0..21 {
        let since = Instant::now();
        let answer = raw::ask(instance.address, "GET /api/1/health/status", "").await;
        assert_eq!(answer.status(), 200);
        times.push(since.elapsed());
    }
    times.sort();
    assert!(times[10] < Duration::from_millis(100), "{times:?}");
    // One socket more than an address may have beside them still finds a place: the silent make room.
    let browser = instance.open_browser().await;
    drop((held, browser));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_places_are_taken_whoever_is_silent_makes_room() {
    let mut config = Config::default();
    config.limits.connections = 50;
    let instance = Running::start(config).await;
    let mut held = Vec::new();
    for _ in 0..50 {
        held.push(half_open(&instance).await);
    }
    let mut browsers = Vec::new();
    for _ in 0..20 {
        browsers.push(instance.open_browser().await);
    }
    until("the first were ended", async || is_ended(&mut held[0]).await).await;
    for browser in &mut browsers {
        browser.expect_nothing().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_heads_slow_bodies_and_idle_connections_are_cut() {
    let instance = Running::start(Config::default()).await;
    let body = |length: usize| {
        format!("POST /api/1/helloClusterTodo HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{{\"text\":")
    };
    let form = "POST /fn/todo-add HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                Content-Length: 1000\r\n\r\ntext=";
    let cases = [
        ("a slow head", HALF.to_owned(), true),
        ("a slow body", body(1_000), true),
        ("a slow form", form.to_owned(), true),
        ("silence", String::new(), false),
        ("silence behind an answer", "GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), false),
    ];
    let all = cases.map(|(name, start, trickles)| {
        let address = instance.address;
        tokio::spawn(async move {
            let (mut from, mut to) = TcpStream::connect(address).await.unwrap().into_split();
            let since = Instant::now();
            to.write_all(start.as_bytes()).await.unwrap();
            let trickling = tokio::spawn(async move {
                while trickles && to.write_all(b"x").await.is_ok() {
                    sleep(Duration::from_secs(1)).await;
                }
                // Held open: it is the server's turn.
                sleep(CUT_WITHIN * 2).await;
                drop(to);
            });
            let mut said = Vec::new();
            let ended = timeout(CUT_WITHIN, from.read_to_end(&mut said)).await;
            trickling.abort();
            assert!(ended.is_ok(), "{name} is not cut: {}", String::from_utf8_lossy(&said));
            assert!(since.elapsed() > Duration::from_secs(5), "{name} is cut too soon");
        })
    });
    for one in all {
        one.await.unwrap();
    }
}
