//! Redis hangs for half a minute under load: pages do not wait for it, and memory does not grow.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use reqwest::Client;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    cluster::Cluster,
    dice::Dice,
    error::SoakError,
    latency::{Latencies, milliseconds},
    ledger::Ledger,
    options::Options,
    report,
    tab::{Command, Settings, Tab, World},
};

/// How long Redis hangs.
const HANGS: Duration = Duration::from_secs(30);
/// Until load and memory are as they stay.
const WARM_UP: Duration = Duration::from_secs(5);
/// Tabs that listen, and tabs that publish.
const LISTENERS: u32 = 100;
const PUBLISHERS: u32 = 5;
/// Pages asked for, and messages published, each at this pace whatever is answered.
const EVERY: Duration = Duration::from_millis(40);
/// One that reads the position of its channels, and one that does not.
const PAGES: [&str; 2] = ["/hello-app-cluster/collaborative-todo", "/"];
/// What a page may take at most, but for one in a hundred: this, or twice what it takes without a fault on
/// a machine that has other things to do.
const PAGE_WITHIN: Duration = Duration::from_millis(100);
/// What the instance may hold more than before.
const GROWTH_KILOBYTES: u64 = 20 * 1024;

/// Runs and judges.
///
/// # Errors
///
/// When pages wait or memory grows.
pub async fn run(options: &Options) -> Result<(), SoakError> {
    let mut dice = Dice::new(options.seed);
    let channel = "view:soak:room:r0".to_owned();
    let cluster = Rc::new(Cluster::start(1).await?);
    let world = Rc::new(World { cluster, ledger: Rc::new(Ledger::new(vec![channel.clone()])) });
    let pattern = channel.parse().ok();
    let mut open = |number, patterns| {
        Tab::open(&world, Settings { number, patterns, home: None, receive_buffer: None }, dice.fork())
    };
    let listeners: Vec<_> = (0..LISTENERS).map(|number| open(number, pattern.clone().into_iter().collect())).collect();
    let publishers: Vec<_> = (LISTENERS..LISTENERS + PUBLISHERS).map(|number| open(number, Vec::new())).collect();
    let load = async {
        let mut pace = interval(EVERY);
        for turn in 0.. {
            pace.tick().await;
            publishers[turn % publishers.len()].order(Command::Publish { channel: 0, padding: 200 });
        }
    };
    let instance = &world.cluster.instances[0];
    let measure = async {
        let (calm, _) = get_pages(&world, WARM_UP).await;
        let before = instance.resident_kilobytes().unwrap_or_default();
        world.cluster.redis.pause()?;
        let (pages, failed) = get_pages(&world, HANGS).await;
        let after = instance.resident_kilobytes().unwrap_or_default();
        world.cluster.redis.resume()?;
        Ok::<_, SoakError>((calm, pages, failed, after.saturating_sub(before)))
    };
    let (calm, pages, failed, growth) = tokio::select! {
        measured = measure => measured?,
        () = load => return Ok(()),
    };
    let slowest = pages.percentile(99);
    let allowed = PAGE_WITHIN.max(calm.percentile(99) * 2);
    report::line(&format!(
        "redis hung for {} s: {} pages, {failed} failed, median {}, p99 {} (allowed {}, before {}), memory +{growth} KB (allowed {GROWTH_KILOBYTES})",
        HANGS.as_secs(),
        pages.count(),
        milliseconds(pages.percentile(50)),
        milliseconds(slowest),
        milliseconds(allowed),
        milliseconds(calm.percentile(99)),
    ));
    drop((listeners, publishers));
    let is_kept = failed == 0 && slowest < allowed && growth < GROWTH_KILOBYTES;
    if is_kept { Ok(()) } else { Err(SoakError::Broken("a hanging Redis is felt".into())) }
}

/// Asks for pages at a steady pace; how long they took, and how many failed.
async fn get_pages(world: &World, duration: Duration) -> (Latencies, u32) {
    let client = Client::new();
    let (mut pages, mut failed, began) = (Latencies::default(), 0, Instant::now());
    let mut asked = tokio::task::JoinSet::new();
    let mut pace = interval(EVERY);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for turn in 0.. {
        pace.tick().await;
        if began.elapsed() > duration {
            break;
        }
        let request = client.get(world.cluster.instances[0].url(PAGES[turn % PAGES.len()]));
        asked.spawn(async move {
            let sent = Instant::now();
            let page = request.send().await?.error_for_status()?.bytes().await?;
            Ok::<_, reqwest::Error>((sent.elapsed(), page.len()))
        });
    }
    while let Some(answer) = asked.join_next().await {
        match answer {
            Ok(Ok((took, _))) => pages.add(took),
            _ => failed += 1,
        }
    }
    (pages, failed)
}
