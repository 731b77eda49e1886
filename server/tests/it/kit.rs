//! What the tests share: real servers on free ports, instances, browsers.

pub mod browser;
pub mod events;
pub mod instance;
pub mod launcher;
pub mod mongod;
pub mod program;
pub mod proxy;
pub mod raw;
pub mod redis;
pub mod redis_cluster;
pub mod sentinel;
pub mod subscriber;
pub mod tab;
pub mod visitor;

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command},
    sync::atomic::{AtomicU32, Ordering},
    thread,
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

/// Sends a process the signal `STOP` or `CONT`, and waits until it took effect.
#[expect(clippy::disallowed_methods, reason = "a process being stopped cannot be awaited")]
pub fn signal(process: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &process.id().to_string()]).status();
    assert!(sent.expect("the program kill").success(), "no signal {name}");
    let stat = format!("/proc/{}/stat", process.id());
    let is_stopped = || fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") T "));
    while is_stopped() != (name == "STOP") {
        thread::sleep(Duration::from_millis(1));
    }
}
