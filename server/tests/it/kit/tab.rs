//! A tab on a WebSocket endpoint.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use http::HeaderValue;
use reqwest::header;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use super::{SOON, visitor::Visitor};

pub struct Tab {
    socket: WebSocketStream<TcpStream>,
    pub connected: Value,
}

impl Tab {
    /// Connects as a guest and takes the first frame.
    pub async fn open(address: SocketAddr, path: &str) -> Self {
        Self::try_open(address, path, &[]).await.unwrap_or_else(|(status, body)| panic!("{path}: {status} {body}"))
    }

    /// The same as this visitor.
    pub async fn open_as(visitor: &Visitor, address: SocketAddr, path: &str) -> Self {
        let cookie = visitor.cookie().unwrap();
        let opened = Self::try_open(address, path, &[(header::COOKIE, &cookie)]).await;
        opened.unwrap_or_else(|(status, body)| panic!("{path}: {status} {body}"))
    }

    /// Connects with these headers; or the status and the body of the refusal.
    pub async fn try_open(
        address: SocketAddr,
        path: &str,
        headers: &[(header::HeaderName, &str)],
    ) -> Result<Self, (u16, Value)> {
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(name, HeaderValue::try_from(*value).unwrap());
        }
        let stream = TcpStream::connect(address).await.unwrap();
        let socket = match client_async(request, stream).await {
            Ok((socket, _)) => socket,
            Err(tungstenite::Error::Http(response)) => {
                let body = response.body().as_deref().unwrap_or_default();
                return Err((response.status().as_u16(), serde_json::from_slice(body).unwrap_or_default()));
            }
            Err(error) => panic!("{error}"),
        };
        let mut tab = Self { socket, connected: Value::Null };
        tab.connected = tab.next().await;
        assert_eq!(tab.connected["data"]["type"], "connected", "{}", tab.connected);
        Ok(tab)
    }

    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub async fn send_message(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// The next frame; fails when none comes soon.
    pub async fn next(&mut self) -> Value {
        self.see().await.unwrap_or_else(|code| panic!("closed with {code}"))
    }

    /// The next frame, or the code the socket was closed with.
    pub async fn see(&mut self) -> Result<Value, u16> {
        loop {
            match timeout(SOON, self.socket.next()).await.expect("a frame comes soon") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(close))) => return Err(close.map_or(0, |close| close.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(0),
            }
        }
    }

    /// The next frame of this type; news of rooms and presence before it is passed over.
    pub async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame["data"]["type"] == kind {
                return frame["data"].clone();
            }
            let passed = ["room-count", "presence-diff", "stats-update"];
            assert!(passed.iter().any(|passed| frame["data"]["type"] == *passed), "waiting for {kind}: {frame}");
        }
    }

    /// The next frame that is no news of rooms.
    pub async fn next_answer(&mut self) -> Value {
        loop {
            let frame = self.next().await;
            if frame["data"]["type"] != "room-count" {
                return frame;
            }
        }
    }

    /// What the next message holds.
    pub async fn next_message(&mut self) -> Value {
        self.next_of("message").await["data"]["data"].clone()
    }

    /// Asks and waits for the answer with the same id.
    pub async fn ask(&mut self, mut message: Value) -> Value {
        let id = format!("r-{}", uuid::Uuid::new_v4());
        message["requestId"] = json!(id);
        self.send(message).await;
        loop {
            let frame = self.next().await;
            if frame["requestId"] == json!(id) {
                return frame;
            }
            assert!(frame["requestId"].is_null(), "{frame}");
        }
    }

    pub async fn join(&mut self, room: &str) -> Value {
        let answer = self.ask(json!({ "type": "join", "roomId": room })).await;
        assert_eq!(answer["data"]["type"], "joined", "{answer}");
        answer["data"]["data"].clone()
    }

    /// Proves that nothing is on its way here: a ping's answer comes next.
    pub async fn expect_nothing(&mut self) {
        self.send(json!({ "type": "ping" })).await;
        let pong = self.next_of("pong").await;
        assert!(pong["data"]["timestamp"].is_string(), "{pong}");
    }

    pub async fn close(mut self) {
        self.socket.close(None).await.unwrap();
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}
