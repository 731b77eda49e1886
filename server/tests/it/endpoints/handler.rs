//! An endpoint of a site owner: a door, a path with a parameter, requests in both directions.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use server::endpoint::{Auth, Handler, Refused, Reply, Rule, Socket, Visit};
use wire::endpoint::{OwnMessage, RequestError};

use super::*;
use crate::kit::until;

/// A game table: `/api/1/ws/tables/{table}`.
#[derive(Default)]
struct Tables {
    open: AtomicUsize,
}

#[async_trait]
impl Handler for Tables {
    async fn accept(&self, visit: &Visit) -> Result<(), Refused> {
        match visit.parameters["table"].as_str() {
            "full" => Err(Refused::Forbidden("The table is full.".into())),
            "none" => Err(Refused::NotFound),
            _ => Ok(()),
        }
    }

    async fn on_connect(&self, socket: &Socket) {
        self.open.fetch_add(1, Ordering::Relaxed);
        let room = socket.parameters()["table"].as_str().into();
        let members = socket.join(&room).await.unwrap();
        socket.send("seated", &json!({ "table": socket.parameters()["table"], "members": members }));
    }

    async fn on_message(&self, socket: &Socket, message: OwnMessage) -> Result<Option<Reply>, RequestError> {
        match message.kind.as_str() {
            "sum" => Ok(Some(Reply::new("sum", json!(message.fields["a"].as_i64().unwrap() + 1)))),
            "silence" => Ok(None),
            "dice" => {
                let answer = socket.request(&json!("roll"), Duration::from_millis(500)).await?;
                Ok(Some(Reply::new("rolled", answer)))
            }
            _ => panic!("a handler that panics"),
        }
    }

    async fn on_disconnect(&self, _: &Socket) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn table() -> (Running, Arc<Tables>) {
    let instance = Running::start(Config::default()).await;
    let tables = Arc::new(Tables::default());
    instance.endpoints.register("tables/{table}", Rule::new(Auth::Public), Arc::clone(&tables) as _).unwrap();
    (instance, tables)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_has_a_door_and_knows_who_comes_and_goes() {
    let (instance, tables) = table().await;
    let mut tab = Tab::open(instance.address, "/api/1/ws/tables/7").await;
    assert_eq!(tab.connected["data"]["namespace"], "/api/1/ws/tables/7");
    assert_eq!(tab.next_of("seated").await["data"], json!({ "table": "7", "members": 1 }));
    for (path, status) in [("tables/full", 403), ("tables/none", 404), ("tables", 404), ("tables/a/b", 404)] {
        let refused = Tab::try_open(instance.address, &format!("/ws/{path}"), &[]).await;
        assert_eq!(refused.err().map(|(status, _)| status), Some(status), "{path}");
    }
    assert_eq!(tables.open.load(Ordering::Relaxed), 1);
    tab.close().await;
    until("it said goodbye", async || tables.open.load(Ordering::Relaxed) == 0).await;
    let taken = instance.endpoints.register("tables", Rule::new(Auth::Public), Arc::new(Tables::default()));
    assert!(taken.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_answered_whatever_the_handler_does() {
    let (instance, _) = table().await;
    let mut tab = Tab::open(instance.address, "/api/1/ws/tables/7").await;
    tab.next_of("seated").await;
    let sum = tab.ask(json!({ "type": "sum", "a": 41 })).await;
    assert_eq!(sum["data"], json!({ "type": "sum", "data": 42 }));
    assert_eq!(code(&tab.ask(json!({ "type": "silence" })).await), "NO_REPLY");
    assert_eq!(code(&tab.ask(json!({ "type": "strange" })).await), "INTERNAL_ERROR");
    tab.send(json!({ "type": "silence" })).await;
    tab.expect_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_asks_a_browser() {
    let (instance, tables) = table().await;
    let mut tab = Tab::open(instance.address, "/api/1/ws/tables/7").await;
    tab.next_of("seated").await;
    tab.send(json!({ "type": "dice", "requestId": 1 })).await;
    let request = tab.next_answer().await;
    assert_eq!(request["data"], json!({ "type": "request", "data": "roll" }));
    tab.send(json!({ "type": "response", "requestId": request["requestId"], "data": 6 })).await;
    assert_eq!(
        tab.next_answer().await,
        json!({ "success": true, "data": { "type": "rolled", "data": 6 }, "requestId": 1 })
    );
    tab.send(json!({ "type": "response", "requestId": request["requestId"], "data": 6 })).await;
    assert_eq!(code(&tab.next_answer().await), "INVALID_MESSAGE", "answered once");
    tab.send(json!({ "type": "dice", "requestId": 2 })).await;
    let request = tab.next_answer().await;
    tab.send(json!({ "type": "response", "requestId": request["requestId"], "error": "no", "code": "UNAUTHORIZED" }))
        .await;
    let refused = tab.next_answer().await;
    assert_eq!((code(&refused), &refused["error"]), ("UNAUTHORIZED", &json!("no")));
    tab.send(json!({ "type": "dice", "requestId": 3 })).await;
    tab.next_answer().await;
    let late = tab.next_answer().await;
    assert_eq!((code(&late), &late["requestId"]), ("NO_REPLY", &json!(3)));
    // Whoever waits is let go with the browser.
    tab.send(json!({ "type": "dice" })).await;
    tab.next_answer().await;
    tab.close().await;
    until("it said goodbye", async || tables.open.load(Ordering::Relaxed) == 0).await;
}
