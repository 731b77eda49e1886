//! Requests byte by byte, as no client library would send them.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::SOON;

/// What came back on a connection before it ended.
#[derive(Debug)]
pub struct Answers {
    pub text: String,
}

impl Answers {
    /// Of the first answer; 0 when there is none.
    pub fn status(&self) -> u16 {
        self.text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// How many answers there are.
    pub fn count(&self) -> usize {
        self.text.matches("HTTP/1.1 ").count()
    }
}

/// Sends this, whatever it is, and reads until the server ends the connection.
pub async fn send(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Answers {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    let bytes = bytes.as_ref().to_vec();
    // A server that refuses need not take it all.
    let sending = tokio::spawn(async move {
        let _ = to.write_all(&bytes).await;
        to
    });
    let mut answer = Vec::new();
    let _ = timeout(SOON, from.read_to_end(&mut answer)).await.expect("the connection ends");
    sending.abort();
    Answers { text: String::from_utf8_lossy(&answer).into_owned() }
}

/// A request without a body that ends its connection; `head` are further lines.
pub async fn ask(address: SocketAddr, line: &str, head: &str) -> Answers {
    send(address, format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{head}\r\n")).await
}

/// A WebSocket on `path` of which the test writes every byte; the answer to its handshake has been read.
pub async fn upgrade(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(timeout(SOON, stream.read_u8()).await.expect("a head comes soon").unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
    stream
}

/// Reads frames of a server, whole ones, until one of them holds this text.
pub async fn read_frame_with(stream: &mut TcpStream, text: &str) {
    loop {
        let mut payload = vec![0; frame_length(stream).await];
        timeout(SOON, stream.read_exact(&mut payload)).await.expect("a frame comes soon").unwrap();
        if String::from_utf8_lossy(&payload).contains(text) {
            return;
        }
    }
}

async fn frame_length(stream: &mut TcpStream) -> usize {
    timeout(SOON, stream.read_u8()).await.expect("a frame comes soon").unwrap();
    match stream.read_u8().await.unwrap() {
        126 => stream.read_u16().await.unwrap().into(),
        127 => usize::try_from(stream.read_u64().await.unwrap()).unwrap(),
        length => length.into(),
    }
}

/// A text frame of a browser, under a mask of zeros.
pub fn text_frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(length) if length < 126 => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

/// The close frame of a browser, under a mask of zeros.
pub fn close_frame() -> Vec<u8> {
    vec![0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8]
}
