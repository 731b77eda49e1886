//! A rolling restart: both instances of a site with two thousand open tabs are stopped and started again,
//! one after the other, while messages go on. Nothing is lost, not even with a notice.

use std::{
    collections::BTreeMap,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::time::{MissedTickBehavior, interval};

use super::{
    check::check,
    cluster::Cluster,
    dice::Dice,
    error::SoakError,
    healing::{everybody_stands, heal, until},
    ledger::Ledger,
    options::Options,
    report,
    tab::{Command, Settings, Tab, World},
};

const INSTANCES: usize = 2;
const TABS: u32 = 2_000;
const PUBLISHERS: u32 = 8;
const ROOMS: u32 = 20;
/// Between two messages of all publishers.
const EVERY: Duration = Duration::from_millis(20);
/// What a browser's socket is told when its server goes away for a while.
const SERVICE_RESTART: u16 = 1012;

/// Runs and judges.
///
/// # Errors
///
/// When something was lost, with or without a notice, or somebody did not come back.
pub async fn run(options: &Options) -> Result<(), SoakError> {
    let mut dice = Dice::new(options.seed);
    let rooms: Vec<_> = (0..ROOMS).map(|number| format!("view:soak:room:r{number}")).collect();
    let cluster = Rc::new(Cluster::start(INSTANCES).await?);
    let world = Rc::new(World { cluster, ledger: Rc::new(Ledger::new(rooms.clone())) });
    let mut open = |number: u32, patterns, home| {
        Tab::open(&world, Settings { number, patterns, home, receive_buffer: None }, dice.fork())
    };
    let room_of = |number: u32| rooms[number as usize % rooms.len()].parse().into_iter().collect();
    let tabs: Vec<_> = (0..TABS).map(|number| open(number, room_of(number), None)).collect();
    let publishers: Vec<_> = (TABS..TABS + PUBLISHERS).map(|number| open(number, Vec::new(), None)).collect();
    let closers: Vec<_> =
        (TABS + PUBLISHERS..).zip(0..INSTANCES).map(|(number, home)| open(number, Vec::new(), Some(home))).collect();
    everybody_stands(&tabs).await?;
    everybody_stands(&publishers).await?;
    let publish = async {
        let mut pace = interval(EVERY);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for turn in 0.. {
            pace.tick().await;
            publishers[turn % publishers.len()].order(Command::Publish { channel: turn % rooms.len(), padding: 100 });
        }
    };
    let outcome = tokio::select! {
        () = publish => Ok(()),
        restarted = restart_all(&world, &tabs) => restarted,
    };
    let outcome = match outcome {
        Ok(()) => heal(&world, &tabs, &closers).await,
        failed => failed,
    };
    world.ledger.logged(&world.cluster.redis.logged()?);
    let verdict = check(&world.ledger.history());
    let mut closes = BTreeMap::<u16, u32>::new();
    for tab in &tabs {
        tab.status().closes.borrow().iter().for_each(|(code, count)| *closes.entry(*code).or_default() += count);
    }
    report::line(&format!("rolling restart of {INSTANCES} instances with {TABS} sockets, closed with {closes:?}"));
    report::verdict(&world.ledger.history(), &verdict);
    let is_kept =
        verdict.is_clean() && verdict.gaps == 0 && closes.get(&SERVICE_RESTART).is_some_and(|count| *count >= TABS);
    if outcome.is_err() || !is_kept {
        report::line(&format!("the servers' logs are in {}", world.cluster.keep_logs().display()));
    }
    outcome?;
    if is_kept { Ok(()) } else { Err(SoakError::Broken("a rolling restart is felt".into())) }
}

/// Restarts the instances one by one, each when everybody has come back from the one before.
async fn restart_all(world: &World, tabs: &[Tab]) -> Result<(), SoakError> {
    for (number, instance) in world.cluster.instances.iter().enumerate() {
        let sockets = tabs.iter().filter(|tab| tab.is_whole()).count();
        let took = instance.stop().await?;
        instance.run()?;
        let began = Instant::now();
        until("the instance is linked", async || instance.is_linked().await).await?;
        let linked = began.elapsed();
        // By themselves: nobody encourages them.
        until("every tab is back", async || tabs.iter().all(Tab::is_whole)).await?;
        report::line(&format!(
            "instance {number} of {sockets} sockets stopped after {:.1} s, was linked {:.1} s later, everybody stands {:.1} s after that",
            took.as_secs_f64(),
            linked.as_secs_f64(),
            (began.elapsed() - linked).as_secs_f64()
        ));
    }
    Ok(())
}
