//! A listening socket that costs next to nothing: a thousand of them leave the machine to the server.

use std::{cell::RefCell, net::SocketAddr, rc::Rc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use super::{error::SoakError, latency::Latencies, ledger::Ledger};

/// Where the moment of sending stands in a payload.
const BEFORE_MOMENT: &[u8] = br#""at":"#;
/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;

/// A listener that reads for as long as it lives, and notes how old each message is when it comes. It
/// answers no pings, so the server lets it go after a minute.
pub struct LightSocket(JoinHandle<()>);

impl LightSocket {
    /// Connects and subscribes to one channel.
    pub async fn open(
        address: SocketAddr,
        channel: &str,
        ledger: &Rc<Ledger>,
        ages: &Rc<RefCell<Latencies>>,
    ) -> Result<Self, SoakError> {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!(
            "GET /api/1/ws/jp-broadcast HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut head = vec![0; READ_BYTES];
        let count = stream.read(&mut head).await?;
        if !head[..count].starts_with(b"HTTP/1.1 101 ") {
            return Err(SoakError::NotReady("a socket".into()));
        }
        let subscribe = format!(r#"{{"type":"subscribe","channel":"{channel}"}}"#);
        // A text frame of less than 126 bytes, masked with zeros. Source: RFC 6455, section 5.2.
        let length = u8::try_from(subscribe.len()).unwrap_or_default() & 0x7f;
        let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(subscribe.as_bytes());
        stream.write_all(&frame).await?;
        let (ledger, ages) = (Rc::clone(ledger), Rc::clone(ages));
        Ok(Self(tokio::task::spawn_local(async move {
            let mut unread = Vec::new();
            let mut buffer = vec![0; READ_BYTES];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                unread.extend_from_slice(&buffer[..count]);
                let now = ledger.now();
                let read = take_moments(&unread, |sent| {
                    ages.borrow_mut().add(Duration::from_micros(now.saturating_sub(sent)));
                });
                unread.drain(..read);
            }
        })))
    }
}

impl Drop for LightSocket {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Gives every whole moment in `bytes` to `take`; how many bytes need not be looked at again.
fn take_moments(bytes: &[u8], mut take: impl FnMut(u64)) -> usize {
    let mut done = 0;
    while let Some(found) = bytes[done..].windows(BEFORE_MOMENT.len()).position(|window| window == BEFORE_MOMENT) {
        let start = done + found + BEFORE_MOMENT.len();
        let Some(length) = bytes[start..].iter().position(|byte| !byte.is_ascii_digit()) else { return done + found };
        let moment = bytes[start..start + length].iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
        take(moment);
        done = start + length;
    }
    bytes.len().saturating_sub(BEFORE_MOMENT.len()).max(done)
}
