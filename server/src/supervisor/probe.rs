//! Asks an instance whether it is ready.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// Pause between two questions.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long one answer may take. Until a process takes connections, the question waits in the system's queue.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// What the answer begins with.
const READY: &[u8] = b"HTTP/1.1 200 ";

/// Waits until `GET /api/1/health/status` answers 200 at this address.
pub(super) async fn ready(address: SocketAddr) {
    let address = SocketAddr::new(reachable(address.ip()), address.port());
    while !timeout(ANSWER_WITHIN, is_ready(address)).await.is_ok_and(|asked| asked.unwrap_or(false)) {
        sleep(ASK_EVERY).await;
    }
}

async fn is_ready(address: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let question = format!("GET /api/1/health/status HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(question.as_bytes()).await?;
    let mut answer = [0; READY.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer == READY)
}

/// An address to ask, where it listens on all.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}
