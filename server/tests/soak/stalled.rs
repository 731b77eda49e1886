//! One socket in a hundred stops reading: the others do not feel it, memory does not grow, and the
//! stalled ones end with everything once they read again.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::time::{interval, sleep};
use wire::Pattern;

use super::{
    check::check,
    cluster::Cluster,
    dice::Dice,
    error::SoakError,
    healing::has_heard_the_last,
    latency::{Latencies, milliseconds},
    ledger::Ledger,
    light::LightSocket,
    options::Options,
    report,
    tab::{Command, Settings, Tab, World},
};

/// Sockets that read, and sockets that will not.
const READING: usize = 990;
const STALLED: u32 = 10;
/// Everybody's channel, and one with large messages for the stalled only, so that their queues fill.
const CHANNELS: [&str; 2] = ["view:soak:news:said", "view:soak:bulk:said"];
const EVERY: Duration = Duration::from_millis(200);
const BULK_EVERY: Duration = Duration::from_millis(100);
const BULK_BYTES: usize = 40_000;
/// Until the instance's memory of recent messages is full, and everything is as it stays.
const WARM_UP: Duration = Duration::from_secs(27);
const MEASURED: Duration = Duration::from_secs(8);
/// Long enough for queue and socket buffers to fill and for the server to give up.
const STALLS: Duration = Duration::from_secs(20);
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(45);
/// What the stalled sockets together may cost: their queues hold 1 MiB each.
const GROWTH_KILOBYTES: u64 = 20 * 1024;
/// How much later the others' slowest messages may come: twice as late, and this for what chance does.
const LATER: Duration = Duration::from_millis(50);

/// Runs and judges.
///
/// # Errors
///
/// When the others feel it, memory grows, or the stalled lose something.
pub async fn run(options: &Options) -> Result<(), SoakError> {
    let mut dice = Dice::new(options.seed);
    let cluster = Rc::new(Cluster::start(1).await?);
    let ledger = Rc::new(Ledger::new(CHANNELS.map(str::to_owned).to_vec()));
    let world = Rc::new(World { cluster, ledger: Rc::clone(&ledger) });
    let instance = &world.cluster.instances[0];
    let patterns: Vec<Pattern> = CHANNELS.iter().filter_map(|name| name.parse().ok()).collect();
    let mut open = |number, patterns, receive_buffer| {
        Tab::open(&world, Settings { number, patterns, home: None, receive_buffer }, dice.fork())
    };
    let stalled: Vec<_> = (0..STALLED).map(|number| open(number, patterns.clone(), Some(16 * 1024))).collect();
    let publisher = open(STALLED, Vec::new(), None);
    let load = async {
        let (mut pace, mut bulk_pace) = (interval(EVERY), interval(BULK_EVERY));
        loop {
            tokio::select! {
                _ = pace.tick() => publisher.order(Command::Publish { channel: 0, padding: 200 }),
                _ = bulk_pace.tick() => publisher.order(Command::Publish { channel: 1, padding: BULK_BYTES }),
            }
        }
    };
    let measure = async {
        sleep(WARM_UP).await;
        // Opened only now: they live a minute.
        let ages = Rc::new(RefCell::new(Latencies::default()));
        let mut reading = Vec::with_capacity(READING);
        for _ in 0..READING {
            reading.push(LightSocket::open(instance.address(), CHANNELS[0], &ledger, &ages).await?);
        }
        sleep(Duration::from_secs(2)).await;
        ages.take();
        sleep(MEASURED).await;
        let calm = ages.take();
        let before = instance.resident_kilobytes().unwrap_or_default();
        stalled.iter().for_each(|tab| tab.order(Command::Freeze(STALLS)));
        let (began, mut most) = (Instant::now(), before);
        while began.elapsed() < STALLS {
            sleep(Duration::from_millis(100)).await;
            most = most.max(instance.resident_kilobytes().unwrap_or_default());
        }
        let troubled = ages.take();
        drop(reading);
        Ok::<_, SoakError>((calm, troubled, most.saturating_sub(before)))
    };
    let (calm, troubled, growth) = tokio::select! {
        measured = measure => measured?,
        () = load => return Ok(()),
    };
    let has_caught_up = catch_up(&world, &stalled).await;
    ledger.logged(&world.cluster.redis.logged()?);
    let verdict = check(&ledger.history());
    let (calm, troubled) = (calm.percentile(99), troubled.percentile(99));
    report::line(&format!(
        "{STALLED} of {} sockets stopped reading for {} s: memory +{growth} KB (allowed {GROWTH_KILOBYTES}), p99 of the others {} before and {} meanwhile",
        READING + stalled.len(),
        STALLS.as_secs(),
        milliseconds(calm),
        milliseconds(troubled),
    ));
    let mut closes = BTreeMap::<u16, u32>::new();
    for tab in &stalled {
        tab.status().closes.borrow().iter().for_each(|(code, count)| *closes.entry(*code).or_default() += count);
    }
    report::line(&format!(
        "the stalled were closed with {closes:?}, recovered {}, told of {} gaps; duplicates {}, reordered {}, unreported losses {}",
        verdict.recovered, verdict.gaps, verdict.duplicates, verdict.reordered, verdict.losses
    ));
    let is_kept = growth < GROWTH_KILOBYTES
        && troubled <= (calm * 2).max(calm + LATER)
        && has_caught_up
        && verdict.is_clean()
        && verdict.gaps == 0
        && closes.values().sum::<u32>() >= STALLED;
    if is_kept { Ok(()) } else { Err(SoakError::Broken("a stalled socket is felt, or lost something".into())) }
}

/// Waits until the stalled tabs have heard the last message of each channel.
async fn catch_up(world: &World, stalled: &[Tab]) -> bool {
    let began = Instant::now();
    while began.elapsed() < CAUGHT_UP_WITHIN {
        sleep(Duration::from_millis(200)).await;
        stalled.iter().filter(|tab| !tab.is_whole()).for_each(|tab| tab.order(Command::Encourage));
        if has_heard_the_last(world) {
            return true;
        }
    }
    false
}
