//! The soak itself: three instances, one Redis, two hundred tabs, and a long row of faults.

use std::rc::Rc;

use tokio::time::{sleep, timeout};
use wire::Pattern;

use super::{
    check::check,
    cluster::Cluster,
    dice::Dice,
    error::SoakError,
    faults::Faults,
    healing::{everybody_stands, heal},
    ledger::Ledger,
    options::Options,
    report,
    tab::{Command, Settings, Tab, World},
};

const INSTANCES: usize = 3;
const TABS: u32 = 200;
const PUBLISHERS: u32 = 12;
/// Channels tabs subscribe to by name, and channels only wildcards hear.
const ROOMS: usize = 6;
const HALLS: usize = 2;
/// Between two messages of all publishers, in milliseconds: 50 a second.
const MESSAGE_EVERY: std::ops::RangeInclusive<u64> = 5..=35;

/// Runs, heals, judges and prints.
///
/// # Errors
///
/// When a promise was broken or the servers did not get well again.
pub async fn run(options: &Options) -> Result<(), SoakError> {
    let mut dice = Dice::new(options.seed);
    report::progress(&format!("soak of {} s, SOAK_SEED={}", options.duration.as_secs(), options.seed));
    let rooms = (0..ROOMS).map(|number| format!("view:soak:room:r{number}"));
    let halls = (0..HALLS).map(|number| format!("view:soak:hall:h{number}"));
    let cluster = Rc::new(Cluster::start(INSTANCES).await?);
    let world = Rc::new(World { cluster, ledger: Rc::new(Ledger::new(rooms.chain(halls).collect())) });
    let tabs = Rc::new((0..TABS).map(|number| open(&world, number, None, &mut dice)).collect::<Vec<_>>());
    let publishers: Vec<_> = (TABS..TABS + PUBLISHERS).map(|number| open(&world, number, None, &mut dice)).collect();
    // One for each instance, for the end.
    let closers: Vec<_> = (TABS + PUBLISHERS..)
        .zip(0..INSTANCES)
        .map(|(number, home)| open(&world, number, Some(home), &mut dice))
        .collect();

    let mut faults = Faults::new(Rc::clone(&world), Rc::clone(&tabs), dice.fork());
    let outcome = async {
        everybody_stands(&tabs).await?;
        let mut chance = dice.fork();
        let load = async {
            tokio::select! {
                never = publish(&publishers, &mut chance) => never,
                raged = faults.rage() => raged,
            }
        };
        if let Ok(failed) = timeout(options.duration, load).await {
            failed?;
        }
        report::progress("the faults are over");
        // Those under way end by themselves, and the publishers go on meanwhile.
        let mut chance = dice.fork();
        tokio::select! {
            never = publish(&publishers, &mut chance) => never?,
            ended = faults.end() => ended?,
        }
        heal(&world, &tabs, &closers).await
    }
    .await;
    world.ledger.logged(&world.cluster.redis.logged()?);
    let verdict = check(&world.ledger.history());
    let sockets = tabs.len() + publishers.len() + closers.len();
    report::soak(options, &world.ledger.history(), &verdict, &faults.summary(), sockets);
    if outcome.is_err() || !verdict.is_clean() {
        report::line(&format!("the servers' logs are in {}", world.cluster.keep_logs().display()));
    }
    outcome?;
    if verdict.is_clean() { Ok(()) } else { Err(SoakError::Broken(format!("SOAK_SEED={}", options.seed))) }
}

/// A tab that listens, or with a number beyond [`TABS`] one that does not.
fn open(world: &Rc<World>, number: u32, home: Option<usize>, dice: &mut Dice) -> Tab {
    let patterns = if number < TABS { wishes(number, dice) } else { Vec::new() };
    Tab::open(world, Settings { number, patterns, home, receive_buffer: None }, dice.fork())
}

/// One to three rooms; every fifth tab hears everything or all halls besides.
fn wishes(number: u32, dice: &mut Dice) -> Vec<Pattern> {
    let mut names: Vec<String> =
        (0..=dice.below(3)).map(|_| format!("view:soak:room:r{}", dice.below(ROOMS))).collect();
    match number % 10 {
        0 => names.push("view:soak:*".to_owned()),
        5 => names.push("view:soak:hall:*".to_owned()),
        _ => {}
    }
    names.sort();
    names.dedup();
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

/// Publishes without end; the first room hears more than the others.
async fn publish(publishers: &[Tab], dice: &mut Dice) -> Result<(), SoakError> {
    loop {
        sleep(dice.milliseconds(MESSAGE_EVERY)).await;
        let channel = if dice.one_in(4) { 0 } else { dice.below(ROOMS + HALLS) };
        publishers[dice.below(publishers.len())].order(Command::Publish { channel, padding: 50 });
    }
}
