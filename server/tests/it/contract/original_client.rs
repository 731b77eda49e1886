//! A script of jPulse 1.7 in a browser, played by a client that sends what it sends and reads no more than it reads.
//!
//! It subscribes over the socket without a position, publishes over REST with its uuid in the body alone, knows an
//! answer by its `requestId` and hands every other message on whole, replies without a `type`, and takes the status
//! and the cache from `data`.

use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::*;
use crate::kit::SOON;

/// One connection of it.
struct Connection {
    socket: WebSocketStream<TcpStream>,
    uuid: String,
    /// What the first frame says of limits.
    max_size: u64,
}

impl Connection {
    async fn connect(instance: &Running, path: &str, visitor: &Visitor) -> Self {
        let uuid = uuid::Uuid::new_v4().to_string();
        let mut request = format!("ws://{}{path}?uuid={uuid}", instance.address).into_client_request().unwrap();
        if let Some(cookie) = visitor.cookie() {
            request.headers_mut().insert("Cookie", cookie.parse().unwrap());
        }
        let stream = TcpStream::connect(instance.address).await.unwrap();
        let (socket, _) = client_async(request, stream).await.unwrap();
        let mut connection = Self { socket, uuid, max_size: 0 };
        let connected = connection.next().await;
        assert_eq!((&connected["success"], &connected["data"]["type"]), (&json!(true), &json!("connected")));
        assert_eq!(connected["data"]["clientId"], connection.uuid);
        connection.max_size = connected["data"]["limits"]["maxSize"].as_u64().unwrap();
        connection
    }

    async fn send(&mut self, message: Value) {
        let text = message.to_string();
        assert!(text.len() as u64 <= self.max_size, "it sends nothing that is too large");
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next message as its `onMessage` gets it; a pong is taken away before.
    async fn next(&mut self) -> Value {
        loop {
            let message = timeout(SOON, self.socket.next()).await.expect("a message comes soon").unwrap().unwrap();
            let Message::Text(text) = message else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["data"]["type"] != "pong" {
                return message;
            }
        }
    }

    /// Its `ws.request`: the message with the same id, whole, and what came before it.
    async fn request(&mut self, mut message: Value) -> (Value, Vec<Value>) {
        let id = json!(uuid::Uuid::new_v4().to_string());
        message["requestId"] = id.clone();
        self.send(message).await;
        let mut before = Vec::new();
        loop {
            let message = self.next().await;
            if message["requestId"] == id {
                return (message, before);
            }
            before.push(message);
        }
    }

    /// The next broadcast of the relay: its channel and its payload.
    async fn broadcast(&mut self) -> (Value, Value) {
        loop {
            let message = self.next().await;
            if message["success"] == true && message["data"]["type"] == "broadcast" {
                let data = &message["data"]["data"];
                return (data["channel"].clone(), data["data"].clone());
            }
        }
    }
}

/// Its `broadcast.publish`.
async fn publish(instance: &Running, channel: &str, data: Value, uuid: &str) -> Value {
    let url = instance.url(&format!("/api/1/app-cluster/broadcast/{channel}"));
    let response = reqwest::Client::new().post(url).json(&json!({ "data": data, "uuid": uuid })).send().await.unwrap();
    assert!(response.status().is_success());
    response.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn its_broadcasts_go_from_tab_to_tab_over_two_instances() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let relay = "/api/1/ws/jp-broadcast";
    let mut one = Connection::connect(&left, relay, &Visitor::default()).await;
    let mut two = Connection::connect(&right, relay, &Visitor::default()).await;
    let channel = "view:it:list:changed";
    for (connection, omits) in [(&mut one, true), (&mut two, false)] {
        connection.send(json!({ "type": "subscribe", "channel": channel, "omitSelf": omits })).await;
        let subscribed = loop {
            let message = connection.next().await;
            if message["data"]["type"] == "subscribed" {
                break message;
            }
            assert_eq!(message["data"]["type"], "welcome", "{message}");
        };
        assert_eq!(subscribed["data"]["data"]["channel"], channel);
    }
    let receipt = publish(&left, channel, json!({ "n": 1 }), &one.uuid).await;
    assert_eq!((&receipt["success"], &receipt["data"]["channel"]), (&json!(true), &json!(channel)));
    let (heard_on, payload) = two.broadcast().await;
    assert_eq!((&heard_on, &payload["n"], &payload["uuid"]), (&json!(channel), &json!(1), &json!(one.uuid)));
    publish(&right, channel, json!({ "n": 2 }), &two.uuid).await;
    assert_eq!(one.broadcast().await.1["n"], 2, "its own first message was omitted");
    one.send(json!({ "type": "unsubscribe", "channel": channel })).await;
    assert_eq!(one.next().await["data"]["type"], "unsubscribed");
    // Its cluster information.
    let (_, status) = get(&Visitor::default(), &left, "/api/1/app-cluster/broadcast/status").await;
    assert_eq!((&status["success"], &status["data"]["redisAvailable"]), (&json!(true), &json!(true)));
    assert_eq!(status["data"]["broadcastEnabled"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_requests_are_answered_and_its_replies_need_no_type() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    let mut tab = Connection::connect(&instance, "/api/1/ws/hello-request", &Visitor::default()).await;
    let (answer, _) = tab.request(json!({ "type": "echo-it", "data": { "text": "hi" } })).await;
    assert_eq!((&answer["success"], &answer["data"]["data"]["data"]["text"]), (&json!(true), &json!("hi")), "{answer}");
    let (refused, _) = tab.request(json!({ "type": "silence" })).await;
    assert_eq!((&refused["success"], &refused["code"]), (&json!(false), &json!("NO_REPLY")));
    for (reply, answer) in [
        (json!({ "browser": "x", "n": 1 }), json!({ "browser": "x", "n": 1 })),
        (json!({ "type": "browser-info", "data": { "n": 1 } }), json!({ "type": "browser-info", "data": { "n": 1 } })),
        (json!({ "type": "join", "roomId": "r" }), json!({ "type": "join", "roomId": "r" })),
        (json!({}), json!({})),
    ] {
        tab.send(json!({ "type": "ask", "data": "who are you?", "requestId": "mine" })).await;
        let asked = tab.next().await;
        assert_eq!((&asked["data"]["type"], &asked["data"]["data"]), (&json!("request"), &json!("who are you?")));
        let mut message = reply;
        message["requestId"] = asked["requestId"].clone();
        tab.send(message.clone()).await;
        let told = tab.next().await;
        assert_eq!(
            (&told["requestId"], &told["data"]["data"]["answer"]),
            (&json!("mine"), &answer),
            "{message}: {told}"
        );
    }
    // Its `replyError`.
    tab.send(json!({ "type": "ask", "requestId": "mine" })).await;
    let asked = tab.next().await;
    let error = json!({ "success": false, "error": "not now", "code": "ERROR", "requestId": asked["requestId"] });
    tab.send(error.clone()).await;
    let told = tab.next().await;
    assert_eq!(
        (&told["success"], &told["error"], &told["requestId"]),
        (&json!(false), &json!("not now"), &json!("mine"))
    );
    // Answered once: the same again is a message like any other.
    tab.send(error).await;
    assert_eq!(tab.next().await["success"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_messages_on_an_endpoint_are_handed_on_whole() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let path = "/api/1/ws/hello-emoji";
    let mut one = Connection::connect(&left, path, &Visitor::default()).await;
    let mut two = Connection::connect(&right, path, &Visitor::default()).await;
    let (sent, mut before) = one.request(json!({ "type": "broadcast", "data": { "emoji": "🎉" } })).await;
    assert_eq!((&sent["success"], &sent["data"]["type"]), (&json!(true), &json!("sent")));
    // Its own message is no answer, whichever comes first.
    let own = match before.pop() {
        Some(own) => own,
        None => one.next().await,
    };
    for message in [own, two.next().await] {
        assert_eq!((&message["success"], &message["data"]["type"]), (&json!(true), &json!("message")));
        assert_eq!(message["data"]["data"]["data"], json!({ "emoji": "🎉" }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_status_and_its_cache_are_read_from_data() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    let admin = Visitor::log_in_as_admin(&instance).await;
    let (_, status) = get(&admin, &instance, "/api/1/auth/status").await;
    assert_eq!(status["data"]["username"], "admin");
    let path = "/api/1/app-cluster/cache/userPrefs/sidebar.width";
    let kept = admin.request(&instance, Method::POST, path, Some(json!({ "value": { "px": 240 }, "ttl": 2_592_000 })));
    assert_eq!(kept.await.json::<Value>().await.unwrap()["success"], true);
    let (_, read) = get(&admin, &instance, path).await;
    assert_eq!((&read["success"], &read["data"]), (&json!(true), &json!({ "px": 240 })));
    let removed = admin.request(&instance, Method::DELETE, path, None).await.json::<Value>().await.unwrap();
    assert_eq!(removed["success"], true);
    assert_eq!(get(&admin, &instance, path).await.1["data"], Value::Null);
}
