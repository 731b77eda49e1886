//! Clients that go right behind what they asked for: what was read is finished.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use app::todo::LIST_CHANGED;
use async_trait::async_trait;
use serde_json::{Value, json};
use server::{
    config::Config,
    endpoint::{Auth, Handler, Reply, Rule, Socket},
};
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Notify, time::timeout};
use wire::endpoint::{OwnMessage, RequestError};

use super::{
    kit::{SOON, browser::Browser, instance::Running, raw, redis::Redis, tab::Tab, until},
    sessions::pair,
};

const NEWS: &str = "view:it:news:published";
const RELAY: &str = "/api/1/ws/jp-broadcast";
const TODOS: &str = "/api/1/ws/hello-todo";
const COUNT: u64 = 50;

/// How a client goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Going {
    /// With a close frame, behind which the connection ends.
    CloseFrame,
    /// The connection ends.
    End,
    /// The connection is reset: something was not read.
    Reset,
}

/// Sends one message, and goes with it.
async fn say_and_go(mut socket: TcpStream, greeted_with: &str, message: Value, going: Going) {
    match going {
        Going::CloseFrame | Going::End => raw::read_frame_with(&mut socket, greeted_with).await,
        // What is there and not read makes the end a reset.
        Going::Reset => socket.readable().await.unwrap(),
    }
    let mut bytes = raw::text_frame(&message.to_string());
    if going == Going::CloseFrame {
        bytes.extend(raw::close_frame());
    }
    socket.write_all(&bytes).await.unwrap();
}

/// Waits until a browser has heard all these numbers, each in the field `n` of a payload.
async fn hears_all(browser: &mut Browser, what: &str) {
    let mut missing: BTreeSet<u64> = (0..COUNT).collect();
    let hearing = async {
        while !missing.is_empty() {
            missing.remove(&browser.next_data().await["n"].as_u64().unwrap());
        }
    };
    assert!(timeout(SOON / 2, hearing).await.is_ok(), "{what}: not heard are {missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_in_one_segment_with_the_end_of_its_socket_is_heard() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let mut browser = right.open_browser().await;
    browser.subscribe(NEWS).await;
    for going in [Going::CloseFrame, Going::End, Going::Reset] {
        for n in 0..COUNT {
            let socket = raw::upgrade(left.address, RELAY).await;
            let message = json!({ "type": "publish", "channel": NEWS, "data": { "n": n } });
            say_and_go(socket, "welcome", message, going).await;
        }
        hears_all(&mut browser, &format!("{going:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_client_hangs_up_at_once_is_published() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let mut browser = right.open_browser().await;
    browser.subscribe(NEWS).await;
    for n in 0..COUNT {
        let body = json!({ "data": { "n": n } }).to_string();
        let head = format!(
            "POST /api/1/app-cluster/broadcast/{NEWS} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\
             Content-Type: application/json\r\n\r\n",
            left.address,
            body.len()
        );
        let mut stream = TcpStream::connect(left.address).await.unwrap();
        stream.write_all((head + &body).as_bytes()).await.unwrap();
    }
    hears_all(&mut browser, "requests").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_todo_made_over_an_endpoint_is_told_though_its_socket_closes_at_once() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let mut browser = right.open_browser().await;
    browser.subscribe(LIST_CHANGED).await;
    let mut tab = Tab::open(right.address, TODOS).await;
    for n in 0..COUNT {
        let socket = raw::upgrade(left.address, TODOS).await;
        say_and_go(socket, "connected", json!({ "type": "create", "text": format!("{n}") }), Going::End).await;
    }
    let titles = || (0..COUNT).map(|n| n.to_string()).collect::<BTreeSet<_>>();
    let (mut untold, mut unannounced) = (titles(), titles());
    let hearing = async {
        while !untold.is_empty() {
            let message = tab.next_message().await;
            assert_eq!(message["action"], "created");
            untold.remove(message["todo"]["title"].as_str().unwrap());
        }
        while !unannounced.is_empty() {
            unannounced.remove(browser.next_data().await["todo"]["title"].as_str().unwrap());
        }
    };
    let heard = timeout(SOON / 2, hearing).await;
    assert!(heard.is_ok(), "not told on the endpoint: {untold:?}; not on the channel: {unannounced:?}");
}

/// A handler that takes its time.
#[derive(Default)]
struct Slow {
    begun: AtomicUsize,
    finished: AtomicUsize,
    said_goodbye: AtomicUsize,
    go_on: Notify,
}

#[async_trait]
impl Handler for Slow {
    async fn on_message(&self, _: &Socket, _: OwnMessage) -> Result<Option<Reply>, RequestError> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.go_on.notified().await;
        self.finished.fetch_add(1, Ordering::Relaxed);
        Ok(None)
    }

    async fn on_disconnect(&self, _: &Socket) {
        let finished = self.finished.load(Ordering::Relaxed);
        self.said_goodbye.store(finished, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_what_a_socket_that_has_gone_left_behind() {
    let instance = Running::start(Config::default()).await;
    let slow = Arc::new(Slow::default());
    instance.endpoints.register("slow", Rule::new(Auth::Public), Arc::clone(&slow) as _).unwrap();
    let mut socket = raw::upgrade(instance.address, "/api/1/ws/slow").await;
    let mut bytes = raw::text_frame(&json!({ "type": "one" }).to_string());
    bytes.extend(raw::text_frame(&json!({ "type": "two" }).to_string()));
    socket.write_all(&bytes).await.unwrap();
    until("it began", async || slow.begun.load(Ordering::Relaxed) == 1).await;
    drop(socket);
    let stopping = tokio::spawn(instance.stop());
    for _ in 0..2 {
        assert!(!stopping.is_finished());
        let finished = slow.finished.load(Ordering::Relaxed);
        slow.go_on.notify_one();
        until("it goes on", async || slow.finished.load(Ordering::Relaxed) > finished).await;
    }
    stopping.await.unwrap();
    assert_eq!(slow.said_goodbye.load(Ordering::Relaxed), 2, "behind all messages");
}
