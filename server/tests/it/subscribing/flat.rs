//! A channel costs the same to join, however many are heard already.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use server::{
    bus::{Bus, Link, RedisBus},
    hub::{Batch, Hub, Joined, Listener, Omit, OutboxLimits},
};
use tokio::time::timeout;
use wire::{Channel, Pattern, Position, Since};

use super::super::kit::{SOON, redis::Redis};

/// Channels heard between the two measurements.
const MANY: usize = 20_000;
/// Joined one after the other, each time.
const MEASURED: usize = 300;
/// Joined at once in between.
const TOGETHER: usize = 64;
/// What passes for noise on a busy machine. With work that grows with the channels it was 40 times as long.
const NOISE: u32 = 4;

struct Nobody;

impl Listener for Nobody {
    fn deliver(&self, _: &Batch) {}

    fn lost(&self, _: &Channel, _: Option<&Position>) {}
}

async fn join(hub: &Hub, number: usize) -> Joined {
    let pattern: Pattern = format!("view:it:flat:c{number}").parse().unwrap();
    hub.subscribe(&pattern, Omit::Nothing, Since::Now, Arc::new(Nobody)).await
}

/// Joins these channels one after the other; half of them took no longer.
async fn median(hub: &Hub, joined: &mut Vec<Joined>, numbers: std::ops::Range<usize>) -> Duration {
    let mut times = Vec::new();
    for number in numbers {
        let began = Instant::now();
        joined.push(join(hub, number).await);
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_of_many_channels_takes_no_longer_to_join_than_the_first() {
    let redis = Redis::start();
    let (bus, inbox) = RedisBus::start(&redis.config(), "it:dev:".into()).unwrap();
    timeout(SOON, bus.link().wait_for(|link| *link == Link::Up)).await.unwrap().unwrap();
    let limits = OutboxLimits { messages: 1_000, bytes: 1_000_000 };
    let hub = Hub::start(bus, inbox, "it:0".into(), limits, &[]);
    // As sites have them: the channels stand below it.
    let above: Pattern = "view:it:*".parse().unwrap();
    let _above = hub.subscribe(&above, Omit::Nothing, Since::Now, Arc::new(Nobody)).await;
    let mut joined = Vec::new();
    let first = median(&hub, &mut joined, 0..MEASURED).await;
    let between = stream::iter(MEASURED..MANY).map(|number| join(&hub, number)).buffer_unordered(TOGETHER);
    joined.extend(between.collect::<Vec<_>>().await);
    let last = median(&hub, &mut joined, MANY..MANY + MEASURED).await;
    assert!(last < first * NOISE, "the first took {first:?}, the last {last:?}");
    hub.stop().await;
}
