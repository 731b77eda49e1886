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
