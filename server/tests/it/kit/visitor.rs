//! A browser with cookies: signs in, asks, keeps what it is given.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use futures_util::StreamExt;
use http::HeaderValue;
use reqwest::{Method, Response, header, redirect::Policy};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::{SOON, instance::Running};

/// Clones share the cookie. It is sent to every instance, as behind one address.
#[derive(Clone, Default)]
pub struct Visitor {
    cookie: Arc<Mutex<Option<String>>>,
}

/// A socket of a visitor.
pub struct Socket(WebSocketStream<TcpStream>);

impl Visitor {
    /// One with this cookie, as it stands in a request.
    pub fn with_cookie(cookie: &str) -> Self {
        Self { cookie: Arc::new(Mutex::new(Some(cookie.to_owned()))) }
    }

    /// The cookie as it stands in a request.
    pub fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap().clone()
    }

    /// The name of the session in Redis.
    pub fn session_id(&self) -> String {
        let cookie = self.cookie().expect("a cookie");
        let value = cookie.split_once('=').unwrap().1.replace("%3D", "=").replace("%2B", "+").replace("%2F", "/");
        // A signature of 44 characters stands before it.
        value[44..].to_owned()
    }

    pub async fn request(&self, instance: &Running, method: Method, path: &str, body: Option<Value>) -> Response {
        let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        let mut request = client.request(method, instance.url(path));
        if let Some(cookie) = self.cookie() {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        self.take(&response);
        response
    }

    /// Posts a form as a browser without WebAssembly does.
    pub async fn post_form(&self, instance: &Running, path: &str, body: &str) -> Response {
        let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        let mut request = client
            .post(instance.url(path))
            .header(header::ACCEPT, "text/html")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.to_owned());
        if let Some(cookie) = self.cookie() {
            request = request.header(header::COOKIE, cookie);
        }
        let response = request.send().await.unwrap();
        self.take(&response);
        response
    }

    fn take(&self, response: &Response) {
        for set in response.headers().get_all(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            let pair = set.split(';').next().unwrap().to_owned();
            *self.cookie.lock().unwrap() = (!set.contains("Max-Age=0")).then_some(pair);
        }
    }

    pub async fn log_in(&self, instance: &Running, username: &str, password: &str) -> (u16, Value) {
        let body = json!({ "username": username, "password": password });
        let response = self.request(instance, Method::POST, "/api/1/auth/login", Some(body)).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// As the user `admin` of [`config`](super::sessions::config).
    pub async fn log_in_as_admin(instance: &Running) -> Self {
        let visitor = Self::default();
        let (status, body) = visitor.log_in(instance, "admin", PASSWORD).await;
        assert_eq!(status, 200, "{body}");
        visitor
    }

    pub async fn post(&self, instance: &Running, path: &str) -> u16 {
        self.request(instance, Method::POST, path, None).await.status().as_u16()
    }

    /// The name of the user the instance takes it for.
    pub async fn name(&self, instance: &Running) -> Option<String> {
        let response = self.request(instance, Method::GET, "/api/1/auth/status", None).await;
        assert_eq!(response.status(), 200);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["authenticated"], !body["user"].is_null(), "{body}");
        body["user"]["username"].as_str().map(str::to_owned)
    }

    /// Opens a socket; the user's name it is met with.
    pub async fn open_socket(&self, instance: &Running) -> (Socket, String) {
        let (mut socket, connected) = self.connect(instance.address).await;
        assert_eq!(socket.next().await.unwrap()["data"]["type"], "welcome");
        (socket, connected["data"]["ctx"]["username"].as_str().unwrap().to_owned())
    }

    async fn connect(&self, address: SocketAddr) -> (Socket, Value) {
        let mut request = format!("ws://{address}/api/1/ws/jp-broadcast").into_client_request().unwrap();
        if let Some(cookie) = self.cookie() {
            request.headers_mut().insert(header::COOKIE, HeaderValue::try_from(cookie).unwrap());
        }
        let stream = TcpStream::connect(address).await.unwrap();
        let mut socket = Socket(client_async(request, stream).await.unwrap().0);
        let connected = socket.next().await.unwrap();
        (socket, connected)
    }
}

/// The password of the user `admin`.
pub const PASSWORD: &str = "a password of the tests";

impl Socket {
    /// The next frame, or the code the socket was closed with.
    pub async fn next(&mut self) -> Result<Value, u16> {
        loop {
            match timeout(SOON, self.0.next()).await.expect("a frame comes soon") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(close))) => return Err(close.map_or(0, |close| close.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(0),
            }
        }
    }

    /// Waits for the end: the last frame's code, and the code of the close.
    pub async fn expect_session_over(&mut self) {
        loop {
            match self.next().await {
                Ok(frame) if frame["code"] == "SESSION_EXPIRED" => break,
                // The link may come and go meanwhile.
                Ok(frame) => assert_eq!(frame["data"]["type"], "cluster", "{frame}"),
                Err(code) => panic!("closed with {code}"),
            }
        }
        assert_eq!(self.next().await, Err(4401));
    }
}
