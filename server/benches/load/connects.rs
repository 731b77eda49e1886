//! How fast browsers can come back after an instance went.

use std::time::Instant;

use crate::{
    error::LoadError,
    report::{Row, Target, progress},
    setting::Setting,
    socket::Socket,
};

/// Sockets opened in one round.
const SOCKETS: usize = 5_000;
/// Rounds, each on a server of its own; the median counts.
const ROUNDS: usize = 3;

/// What one round showed.
struct Round {
    each_second: f64,
    /// For 1,000 sockets.
    cpu_seconds: f64,
}

/// Measures how many sockets a second open, from the connection to the `welcome`.
pub async fn measure() -> Result<Vec<Row>, LoadError> {
    let mut rounds = Vec::new();
    for number in 1..=ROUNDS {
        progress(&format!("connects, round {number} of {ROUNDS}"));
        rounds.push(round().await?);
    }
    rounds.sort_by(|one, other| one.each_second.total_cmp(&other.each_second));
    let Round { each_second, cpu_seconds } = rounds.swap_remove(ROUNDS / 2);
    Ok(vec![
        Row::new("1 instance: connects", each_second, "a second", Some(Target::AtLeast(12_000.0))),
        Row::new("1 instance, connects: server CPU", cpu_seconds, "s per 1,000 connects", None),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
async fn round() -> Result<Round, LoadError> {
    let servers = Setting::Alone.start().await?;
    let (began, cpu_time) = (Instant::now(), servers.cpu_time()?);
    let sockets = Socket::open_many(SOCKETS, |_| servers.instance_for(0).address).await?;
    let (elapsed, used) = (began.elapsed(), servers.cpu_time()? - cpu_time);
    drop(sockets);
    Ok(Round {
        each_second: SOCKETS as f64 / elapsed.as_secs_f64(),
        cpu_seconds: used.instances.as_secs_f64() * 1_000.0 / SOCKETS as f64,
    })
}
