//! What the tests share: real servers on free ports, instances, browsers.

pub mod browser;
pub mod instance;
pub mod mongod;
pub mod proxy;
pub mod redis;

use std::{net::TcpListener, time::Duration};

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
