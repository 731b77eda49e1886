//! A browser as far as the relay can tell: a WebSocket with a uuid.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest, protocol::CloseFrame},
};

use super::SOON;

pub struct Browser {
    socket: WebSocketStream<TcpStream>,
    pub uuid: String,
}

/// What a browser sees next.
#[derive(Debug)]
pub enum Seen {
    Frame(Value),
    Close(Option<CloseFrame>),
}

impl Browser {
    /// Connects and takes the two frames every socket begins with.
    pub async fn open(address: SocketAddr, uuid: &str) -> Self {
        let url = format!("ws://{address}/api/1/ws/jp-broadcast?uuid={uuid}");
        let stream = TcpStream::connect(address).await.unwrap();
        let (socket, _) = client_async(url.into_client_request().unwrap(), stream).await.unwrap();
        let mut browser = Self { socket, uuid: uuid.to_owned() };
        assert_eq!(browser.next().await["data"]["clientId"], uuid);
        assert_eq!(browser.next().await["data"]["type"], "welcome");
        browser
    }

    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Subscribes and returns the answer's `data.data`.
    pub async fn subscribe(&mut self, channel: &str) -> Value {
        self.subscribe_with(json!({ "channel": channel })).await
    }

    /// The same with further fields: `omitSelf`, `since`.
    pub async fn subscribe_with(&mut self, mut request: Value) -> Value {
        request["type"] = json!("subscribe");
        self.send(request).await;
        let answer = self.next().await;
        assert_eq!(answer["data"]["type"], "subscribed", "{answer}");
        answer["data"]["data"].clone()
    }

    /// The next frame; fails when none comes soon.
    pub async fn next(&mut self) -> Value {
        match self.see().await {
            Seen::Frame(frame) => frame,
            Seen::Close(close) => panic!("closed: {close:?}"),
        }
    }

    /// The next frame or the end.
    pub async fn see(&mut self) -> Seen {
        loop {
            let message = timeout(SOON, self.socket.next()).await.expect("a frame comes soon");
            return match message {
                Some(Ok(Message::Text(text))) => Seen::Frame(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(close))) => Seen::Close(close),
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => Seen::Close(None),
            };
        }
    }

    /// The payload of the next broadcast.
    pub async fn next_data(&mut self) -> Value {
        let frame = self.next().await;
        assert_eq!(frame["data"]["type"], "broadcast", "{frame}");
        frame["data"]["data"]["data"].clone()
    }

    /// Proves that nothing is on its way: a ping's answer comes next.
    pub async fn expect_nothing(&mut self) {
        self.send(json!({ "type": "ping" })).await;
        let frame = self.next().await;
        assert_eq!(frame["data"]["type"], "pong", "{frame}");
    }
}
