//! Many channels under constant load through outages of Redis: the load that two instances carry when all is well,
//! they carry while they return.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{
    check::check,
    cluster::Cluster,
    dice::Dice,
    error::SoakError,
    healing::{everybody_stands, heal, until},
    ledger::Ledger,
    options::Options,
    proxy::Rule,
    report,
    tab::{Command, Settings, Tab, World},
};

const INSTANCES: usize = 2;
const CHANNELS: u32 = 40;
const LISTENERS: u32 = 20;
/// Channels each listener subscribes to.
const HEARD: u32 = 4;
/// Between two messages of all publishers: 300 a second.
const EVERY: Duration = Duration::from_micros(3_333);
/// Bytes of nothing in each message.
const PADDING: usize = 1_000;
/// How long Redis is away, each time.
const AWAY_FOR: Duration = Duration::from_secs(10);
/// How long what waited may take to be logged once the link is back.
const BACK_WITHIN: Duration = Duration::from_secs(5);
const OUTAGES: u32 = 2;

/// Runs and judges.
///
/// # Errors
///
/// When something was lost or doubled, or an instance did not return in time.
pub async fn run(options: &Options) -> Result<(), SoakError> {
    let mut dice = Dice::new(options.seed);
    let channels: Vec<_> = (0..CHANNELS).map(|number| format!("view:soak:room:r{number}")).collect();
    let cluster = Rc::new(Cluster::start(INSTANCES).await?);
    let world = Rc::new(World { cluster, ledger: Rc::new(Ledger::new(channels.clone())) });
    let mut open = |number: u32, patterns, home| {
        Tab::open(&world, Settings { number, patterns, home, receive_buffer: None }, dice.fork())
    };
    // Few each: what waited comes all at once, and must fit into the queue of a socket.
    let some = |number: u32| {
        let heard = (0..HEARD).map(|next| &channels[(number * 2 + next) as usize % channels.len()]);
        heard.filter_map(|channel| channel.parse().ok()).collect()
    };
    let tabs: Vec<_> =
        (0..LISTENERS).map(|number| open(number, some(number), Some(number as usize % INSTANCES))).collect();
    let publishers: Vec<_> =
        (0..CHANNELS).map(|number| open(LISTENERS + number, Vec::new(), Some(number as usize % INSTANCES))).collect();
    let closers: Vec<_> =
        (LISTENERS + CHANNELS..).zip(0..INSTANCES).map(|(number, home)| open(number, Vec::new(), Some(home))).collect();
    everybody_stands(&tabs).await?;
    everybody_stands(&publishers).await?;
    let publish = async {
        let mut pace = interval(EVERY);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for turn in 0.. {
            pace.tick().await;
            let one = turn % publishers.len();
            publishers[one].order(Command::Publish { channel: one, padding: PADDING });
        }
    };
    let outcome = tokio::select! {
        () = publish => Ok(()),
        survived = survive(&world) => survived,
    };
    let outcome = match outcome {
        Ok(()) => heal(&world, &tabs, &closers).await,
        failed => failed,
    };
    world.ledger.logged(&world.cluster.redis.logged()?);
    let verdict = check(&world.ledger.history());
    report::line(&format!(
        "{OUTAGES} outages of {} s under 300 messages a second on {CHANNELS} channels",
        AWAY_FOR.as_secs()
    ));
    report::verdict(&world.ledger.history(), &verdict);
    let is_kept = verdict.is_clean() && verdict.gaps == 0;
    if outcome.is_err() || !is_kept {
        report::line(&format!("the servers' logs are in {}", world.cluster.keep_logs().display()));
    }
    outcome?;
    if is_kept { Ok(()) } else { Err(SoakError::Broken(format!("an outage is felt, SOAK_SEED={}", options.seed))) }
}

/// Cuts Redis off again and again; each time all is back within [`BACK_WITHIN`], though the load never pauses.
async fn survive(world: &World) -> Result<(), SoakError> {
    for outage in 1..=OUTAGES {
        sleep(Duration::from_secs(3)).await;
        for link in &world.cluster.links {
            link.set(Rule::refuse());
            link.cut();
        }
        sleep(AWAY_FOR).await;
        for link in &world.cluster.links {
            link.set(Rule::default());
        }
        for instance in &world.cluster.instances {
            until("the instance is linked", async || instance.is_linked().await).await?;
        }
        let began = Instant::now();
        let most = waiting(world).await?;
        until("nothing waits any more", async || waiting(world).await.is_ok_and(|waiting| waiting == 0)).await?;
        let took = began.elapsed();
        report::line(&format!(
            "outage {outage}: {most} messages waited, none {:.1} s after the link was back",
            took.as_secs_f64()
        ));
        if took > BACK_WITHIN {
            return Err(SoakError::Broken(format!("an instance took {:.1} s to return", took.as_secs_f64())));
        }
    }
    Ok(())
}

/// Messages that wait for Redis, on all instances.
async fn waiting(world: &World) -> Result<u64, SoakError> {
    let mut sum = 0;
    for instance in &world.cluster.instances {
        let text = reqwest::get(instance.url("/metrics")).await?.text().await?;
        let depth = text.lines().find_map(|line| line.strip_prefix("jpulse_queue_depth{queue=\"outbox\"} "));
        sum += depth.and_then(|depth| depth.parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(sum)
}
