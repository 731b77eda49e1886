//! What a browser that only listens costs.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    error::LoadError,
    report::{Row, Target, progress},
    setting::Setting,
    socket::Socket,
};

/// Sockets that are open at once.
const SOCKETS: usize = 5_000;
/// Until everything that was needed for connecting only is given back.
const REST: Duration = Duration::from_secs(2);

/// Measures the server's resident memory with and without many idle subscribed sockets.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub async fn measure() -> Result<Vec<Row>, LoadError> {
    progress("memory of idle sockets");
    let servers = Setting::Alone.start().await?;
    let server = servers.instance_for(0);
    // The first socket costs what all of them share.
    let first = Socket::subscribe_many(1, |_| server.address).await?;
    let before = server.process.resident_kilobytes()?;
    let sockets = Socket::subscribe_many(SOCKETS, |_| server.address).await?;
    sleep(REST).await;
    let taken = server.process.resident_kilobytes()?.saturating_sub(before);
    drop((first, sockets));
    let each = taken as f64 / SOCKETS as f64;
    Ok(vec![Row::new("1 instance: idle subscribed socket", each, "KB resident", Some(Target::AtMost(8.0)))])
}
