//! What the tests share: real servers on free ports, instances, browsers.

pub mod browser;
pub mod instance;
pub mod mongod;
pub mod redis;
pub mod redis_cluster;
pub mod sentinel;

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

/// How long anything that must happen may take.
pub const SOON: Duration = Duration::from_secs(10);

/// Where ports for servers begin: below those the system gives to outgoing connections, which could take a
/// port between the asking and the listening.
const FIRST_PORT: u16 = 10_000;
const PORTS: u32 = 20_000;

/// A port nobody listens on now; another one each time.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        // Each process begins elsewhere.
        let number = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(97));
        let port = FIRST_PORT + u16::try_from(number % PORTS).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Asks until the answer is yes.
pub async fn until(what: &str, is_so: impl AsyncFnMut() -> bool) {
    until_within(SOON, what, is_so).await;
}

/// The same with a time of its own; how long it took.
pub async fn until_within(limit: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let since = Instant::now();
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(limit, asking).await.is_ok(), "never happened within {limit:?}: {what}");
    since.elapsed()
}
