//! What a channel costs to join when many are heard already.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::{
    error::LoadError,
    report::{Row, Target, progress},
    setting::Setting,
    socket::Socket,
};

/// Channels joined in all.
const CHANNELS: usize = 30_000;
/// Channels of one socket; it may have 256.
const CHANNELS_A_SOCKET: usize = 250;
/// Joined one after the other at the beginning and at the end; half of them took no longer than the figure.
const MEASURED: usize = 500;
/// What the last may take, measured in the first: noise and no more.
const NOISE: f64 = 1.5;

/// Measures from the request to the answer, with a wildcard above all of them.
pub async fn measure() -> Result<Vec<Row>, LoadError> {
    progress("30,000 channels joined, 2 instances, Redis");
    let servers = Setting::Two.start().await?;
    let address = servers.instance_for(0).address;
    let mut above = Socket::open(address, CHANNELS).await?;
    above.subscribe("view:bench:*").await?;
    let (sockets, measured) = (CHANNELS / CHANNELS_A_SOCKET, MEASURED / CHANNELS_A_SOCKET);
    // Each opened when it is its turn: no socket here answers pings.
    let mut first = Socket::open_many(measured, |_| address).await?;
    let first_took = median(&mut first, 0).await?;
    let mut between = Socket::open_many(sockets - 2 * measured, |_| address).await?;
    let began = Instant::now();
    try_join_all(between.iter_mut().enumerate().map(|(number, socket)| join(socket, measured + number))).await?;
    let each_second = joined(between.len()) / began.elapsed().as_secs_f64();
    let mut last = Socket::open_many(measured, |_| address).await?;
    let last_took = median(&mut last, sockets - measured).await?;
    let most = first_took.as_secs_f64() * NOISE * 1_000_000.0;
    Ok(vec![
        Row::new("first of 30,000 channels: join", first_took.as_secs_f64() * 1_000_000.0, "µs", None),
        Row::new(
            "last of 30,000 channels: join",
            last_took.as_secs_f64() * 1_000_000.0,
            "µs",
            Some(Target::AtMost(most)),
        ),
        Row::new("channels joined by 116 sockets at once", each_second, "a second", None),
    ])
}

/// Joins the channels of these sockets one after the other; half of them took no longer.
async fn median(sockets: &mut [Socket], begins: usize) -> Result<Duration, LoadError> {
    let mut times = Vec::with_capacity(MEASURED);
    for (number, socket) in sockets.iter_mut().enumerate() {
        times.extend(join(socket, begins + number).await?);
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

/// Joins the channels of one socket one after the other; how long each took.
async fn join(socket: &mut Socket, number: usize) -> Result<Vec<Duration>, LoadError> {
    let mut times = Vec::with_capacity(CHANNELS_A_SOCKET);
    for channel in 0..CHANNELS_A_SOCKET {
        let began = Instant::now();
        socket.subscribe(&format!("view:bench:s{number}:c{channel}")).await?;
        times.push(began.elapsed());
    }
    Ok(times)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn joined(sockets: usize) -> f64 {
    (sockets * CHANNELS_A_SOCKET) as f64
}
