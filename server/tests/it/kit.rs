//! What the tests share: real servers on free ports, instances, browsers.

pub mod browser;
pub mod events;
pub mod instance;
pub mod mongod;
pub mod redis;

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command},
    thread,
    time::Duration,
};

/// How long anything that must happen may take.
pub const SOON: Duration = Duration::from_secs(10);

/// A port nobody listens on now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Asks until the answer is yes.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(SOON, asking).await.is_ok(), "never happened: {what}");
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
