//! A browser's socket on the relay, as cheap as can be: the servers are to be measured, not this.

use std::{net::SocketAddr, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use crate::{channel::CHANNEL, error::LoadError, frames};

/// Sockets that are being opened at once.
const OPENING: usize = 64;
/// How long any answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Enough for what a socket begins with; grows when a read fills it.
const BUFFER_BYTES: usize = 2_048;

/// An open socket, or the half of one that is read.
pub struct Socket<S = TcpStream> {
    stream: S,
    /// What was read and not taken: `buffer[..filled]`.
    buffer: Vec<u8>,
    filled: usize,
}

impl Socket {
    /// Connects, upgrades, and takes the two frames every socket begins with. `number` tells browsers apart.
    pub async fn open(address: SocketAddr, number: usize) -> Result<Self, LoadError> {
        let mut socket = Self::open_at(address, "jp-broadcast", number).await?;
        socket.expect(r#""type":"welcome""#).await?;
        Ok(socket)
    }

    /// The same at an endpoint, which begins with one frame.
    pub async fn open_at(address: SocketAddr, endpoint: &str, number: usize) -> Result<Self, LoadError> {
        let uuid = uuid(number);
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /api/1/ws/{endpoint}?uuid={uuid} HTTP/1.1\r\nHost: {address}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut socket = Self { stream, buffer: vec![0; BUFFER_BYTES], filled: 0 };
        socket.take_upgrade().await?;
        socket.expect(r#""type":"connected""#).await?;
        Ok(socket)
    }

    /// Opens many, each at the address `address_of` gives its number.
    pub async fn open_many(count: usize, address_of: impl Fn(usize) -> SocketAddr) -> Result<Vec<Self>, LoadError> {
        let opening = stream::iter(0..count).map(|number| Self::open(address_of(number), number));
        let opened = opening.buffer_unordered(OPENING).try_collect();
        timeout(ANSWER_WITHIN, opened).await.map_err(|_| silent())?
    }

    /// Opens many at an endpoint, in the order of their numbers.
    pub async fn open_many_at(
        endpoint: &str,
        count: usize,
        address_of: impl Fn(usize) -> SocketAddr,
    ) -> Result<Vec<Self>, LoadError> {
        let opening = stream::iter(0..count).map(|number| Self::open_at(address_of(number), endpoint, number));
        let opened = opening.buffered(OPENING).try_collect();
        timeout(ANSWER_WITHIN, opened).await.map_err(|_| silent())?
    }

    /// Opens many and subscribes each to [`CHANNEL`].
    pub async fn subscribe_many(
        count: usize,
        address_of: impl Fn(usize) -> SocketAddr,
    ) -> Result<Vec<Self>, LoadError> {
        let sockets = Self::open_many(count, address_of).await?;
        let subscribing = stream::iter(sockets).map(|mut socket| async {
            socket.send(&format!(r#"{{"type":"subscribe","channel":"{CHANNEL}"}}"#)).await?;
            socket.expect(r#""type":"subscribed""#).await?;
            Ok(socket)
        });
        let subscribed = subscribing.buffer_unordered(OPENING).try_collect();
        timeout(ANSWER_WITHIN, subscribed).await.map_err(|_| silent())?
    }

    /// Subscribes; where the channel stands, as JSON.
    pub async fn subscribe(&mut self, channel: &str) -> Result<String, LoadError> {
        self.send(&format!(r#"{{"type":"subscribe","channel":"{channel}"}}"#)).await?;
        loop {
            if let Some((text, length)) = frames::cut(&self.buffer[..self.filled])? {
                let frame: Value = serde_json::from_slice(text).map_err(|_| LoadError::unexpected("JSON", text))?;
                let data = &frame["data"]["data"];
                if frame["data"]["type"] != "subscribed" {
                    return Err(LoadError::unexpected("subscribed", text));
                }
                let position = json!({ "epoch": data["epoch"], "offset": data["offset"] }).to_string();
                self.forget(length);
                return Ok(position);
            }
            self.read().await?;
        }
    }

    /// Sends frames as they are.
    pub async fn send_bytes(&mut self, frames: &[u8]) -> Result<(), LoadError> {
        Ok(self.stream.write_all(frames).await?)
    }

    /// Sends one message.
    pub async fn send(&mut self, text: &str) -> Result<(), LoadError> {
        let mut bytes = Vec::with_capacity(14 + text.len());
        frames::append_text(&mut bytes, text);
        Ok(self.stream.write_all(&bytes).await?)
    }

    /// Both directions for two tasks. The half to write to must be kept: dropped, it ends the socket.
    pub fn split(self) -> (Socket<OwnedReadHalf>, OwnedWriteHalf) {
        let (stream, writer) = self.stream.into_split();
        (Socket { stream, buffer: self.buffer, filled: self.filled }, writer)
    }

    /// Waits for one frame that contains `wanted`.
    pub async fn expect(&mut self, wanted: &str) -> Result<(), LoadError> {
        loop {
            if let Some((text, length)) = frames::cut(&self.buffer[..self.filled])? {
                if !contains(text, wanted.as_bytes()) {
                    return Err(LoadError::unexpected(wanted, text));
                }
                self.forget(length);
                return Ok(());
            }
            self.read().await?;
        }
    }

    async fn take_upgrade(&mut self) -> Result<(), LoadError> {
        loop {
            let read = &self.buffer[..self.filled];
            if let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                if !read.starts_with(b"HTTP/1.1 101 ") {
                    return Err(LoadError::unexpected("101 Switching Protocols", &read[..end]));
                }
                self.forget(end + 4);
                return Ok(());
            }
            self.read().await?;
        }
    }
}

impl<S: AsyncRead + Unpin> Socket<S> {
    /// Waits for what comes next and gives every whole frame in it to `take`.
    pub async fn receive(&mut self, mut take: impl FnMut(&[u8]) -> Result<(), LoadError>) -> Result<(), LoadError> {
        self.read().await?;
        let mut start = 0;
        while let Some((text, length)) = frames::cut(&self.buffer[start..self.filled])? {
            take(text)?;
            start += length;
        }
        self.forget(start);
        Ok(())
    }

    async fn read(&mut self) -> Result<(), LoadError> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        match self.stream.read(&mut self.buffer[self.filled..]).await? {
            0 => Err(LoadError::Closed(None)),
            count => {
                self.filled += count;
                Ok(())
            }
        }
    }

    fn forget(&mut self, length: usize) {
        self.buffer.copy_within(length..self.filled, 0);
        self.filled -= length;
    }
}

/// What tells browsers apart.
pub fn uuid(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// Whether this stands in a frame.
pub fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|bytes| bytes == wanted)
}

fn silent() -> LoadError {
    LoadError::Silent(ANSWER_WITHIN.as_secs())
}
