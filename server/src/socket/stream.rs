//! One socket's bytes in both directions.

use std::io::IoSlice;

use bytes::{Buf, Bytes};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        protocol::{Role, WebSocketConfig},
    },
};
use wire::{close, limits::FRAME_BYTES};

/// Bytes read at once: browsers say little, and an idle socket keeps this buffer.
const READ_BYTES: usize = 1_024;
/// Frames handed to the operating system at once; an idle socket keeps room for as many slices.
const FRAMES_AT_ONCE: usize = 32;

/// A socket after its upgrade.
pub struct SocketStream {
    inner: WebSocketStream<TokioIo<Upgraded>>,
}

/// What came from a browser.
#[derive(Debug)]
pub enum Received {
    /// A message.
    Text(String),
    /// A binary message.
    Binary(Bytes),
    /// It is still there.
    Pong,
    /// Something nobody can read, with the close code to answer it: the connection cannot go on.
    Unreadable(u16, &'static str),
    /// The end.
    Closed,
}

impl SocketStream {
    pub(super) async fn new(upgraded: Upgraded, max_message_bytes: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(FRAME_BYTES)
            .max_message_size(Some(max_message_bytes))
            .max_frame_size(Some(max_message_bytes));
        Self { inner: WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await }
    }

    /// Waits for the next thing a browser sends. Pings are answered on the way. Cancel safe.
    pub async fn receive(&mut self) -> Received {
        loop {
            return match self.inner.next().await {
                Some(Ok(Message::Text(text))) => Received::Text(text.as_str().to_owned()),
                Some(Ok(Message::Binary(bytes))) => Received::Binary(bytes),
                Some(Ok(Message::Pong(_))) => Received::Pong,
                Some(Ok(Message::Ping(_) | Message::Frame(_))) => continue,
                Some(Err(error)) => unreadable(&error),
                Some(Ok(Message::Close(_))) | None => Received::Closed,
            };
        }
    }

    /// Writes whole frames, all of them. Not cancel safe: half a frame may have gone out.
    ///
    /// # Errors
    ///
    /// When the connection is gone.
    pub async fn send(&mut self, frames: &mut Vec<Bytes>) -> std::io::Result<()> {
        // A pong that waits to be written comes first: frames must not cut each other.
        self.inner.flush().await.map_err(std::io::Error::other)?;
        let stream = self.inner.get_mut();
        let mut first = 0;
        while first < frames.len() {
            let mut slices = [IoSlice::new(&[]); FRAMES_AT_ONCE];
            let mut count = 0;
            for (slice, frame) in slices.iter_mut().zip(&frames[first..]) {
                *slice = IoSlice::new(frame);
                count += 1;
            }
            let mut written = stream.write_vectored(&slices[..count]).await?;
            if written == 0 {
                return Err(std::io::ErrorKind::WriteZero.into());
            }
            while written > 0 {
                let frame = &mut frames[first];
                let from_this = written.min(frame.len());
                frame.advance(from_this);
                written -= from_this;
                if frame.is_empty() {
                    first += 1;
                }
            }
        }
        frames.clear();
        stream.flush().await
    }

    /// Answers a close frame, if one came, and ends the connection.
    pub async fn end(mut self) {
        // Gone already is as good. The answer to a close frame waits to be written.
        let _ = self.inner.flush().await;
        let _ = self.inner.close(None).await;
        let _ = self.inner.get_mut().shutdown().await;
    }

    /// Ends a connection behind a close frame of ours: one is all a browser may get. Waits until it
    /// hangs up, so that the frame is not lost to what it may still be saying, which nobody hears.
    pub async fn hang_up(mut self) {
        let stream = self.inner.get_mut();
        // Gone already is as good.
        let _ = stream.shutdown().await;
        let mut unheard = [0; 512];
        while stream.read(&mut unheard).await.is_ok_and(|length| length > 0) {}
    }
}

/// What a browser said wrong, or that it is gone.
fn unreadable(error: &tungstenite::Error) -> Received {
    use tungstenite::error::ProtocolError::{ReceivedAfterClosing, ResetWithoutClosingHandshake, SendAfterClosing};

    match error {
        tungstenite::Error::Capacity(_) => Received::Unreadable(close::TOO_BIG, "frame too large"),
        tungstenite::Error::Utf8(_) => Received::Unreadable(close::NOT_UTF8, "text is not UTF-8"),
        tungstenite::Error::Protocol(ReceivedAfterClosing | ResetWithoutClosingHandshake | SendAfterClosing) => {
            Received::Closed
        }
        tungstenite::Error::Protocol(_) => Received::Unreadable(close::PROTOCOL_ERROR, "not a WebSocket frame"),
        _ => Received::Closed,
    }
}
