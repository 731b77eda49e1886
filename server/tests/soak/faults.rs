//! What goes wrong, and when: thrown from the seed, one fault after the other and several at once.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    dice::Dice,
    error::SoakError,
    impairment::Impairment,
    proxy::{Direction, Rule, Way},
    report::progress,
    tab::{Command, Tab, World},
};

/// A fault begins so long after the one before, in milliseconds.
const PAUSE: std::ops::RangeInclusive<u64> = 300..=2_500;

/// What may break, each at most once at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Redis,
    Link(usize),
    Instance(usize),
    Tabs,
}

/// One fault; times say how long it lasts.
#[derive(Clone, Copy, Debug)]
enum Fault {
    KillRedis { keeps_data: bool, down: Duration },
    PauseRedis(Duration),
    ImpairRedis { how: Impairment, lasts: Duration },
    KillInstance { number: usize, down: Duration },
    PauseInstance { number: usize, pause: Duration },
    StopInstance { number: usize, down: Duration },
    CutLink(usize),
    ResetLink(usize),
    HalfCloseLink(usize, Direction),
    SpoilLink { number: usize, rule: Rule, lasts: Duration },
    DropTabs { tabs: usize },
    PublishAndDrop { tabs: usize },
    AbortStreams { streams: usize },
}

/// Throws faults until it is dropped or told to heal.
pub struct Faults {
    world: Rc<World>,
    tabs: Rc<Vec<Tab>>,
    dice: Dice,
    broken: Rc<RefCell<Vec<Part>>>,
    counts: BTreeMap<&'static str, u32>,
    lasting: JoinSet<Result<(), SoakError>>,
}

impl Faults {
    /// None yet.
    pub fn new(world: Rc<World>, tabs: Rc<Vec<Tab>>, dice: Dice) -> Self {
        let (broken, counts, lasting) = (Rc::default(), BTreeMap::new(), JoinSet::new());
        Self { world, tabs, dice, broken, counts, lasting }
    }

    /// Breaks things without end.
    ///
    /// # Errors
    ///
    /// When a server cannot be brought back.
    pub async fn rage(&mut self) -> Result<(), SoakError> {
        loop {
            sleep(self.dice.milliseconds(PAUSE)).await;
            while let Some(ended) = self.lasting.try_join_next() {
                ended.map_err(std::io::Error::other)??;
            }
            let fault = self.throw();
            let part = fault.part();
            if self.broken.borrow().contains(&part) {
                continue;
            }
            progress(&format!("{:>8} ms  {fault:?}", self.world.ledger.tick() / 1_000));
            *self.counts.entry(fault.name()).or_default() += 1;
            self.broken.borrow_mut().push(part);
            let (world, tabs, broken) = (Rc::clone(&self.world), Rc::clone(&self.tabs), Rc::clone(&self.broken));
            let mut dice = self.dice.fork();
            self.lasting.spawn_local(async move {
                let done = fault.happen(&world, &tabs, &mut dice).await;
                broken.borrow_mut().retain(|other| *other != part);
                done
            });
        }
    }

    /// Waits until the faults under way are over.
    ///
    /// # Errors
    ///
    /// When a server cannot be brought back.
    pub async fn end(&mut self) -> Result<(), SoakError> {
        while let Some(ended) = self.lasting.join_next().await {
            ended.map_err(std::io::Error::other)??;
        }
        Ok(())
    }

    /// How often each kind happened, for people.
    pub fn summary(&self) -> String {
        let counts: Vec<_> = self.counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        counts.join(", ")
    }

    fn throw(&mut self) -> Fault {
        let dice = &mut self.dice;
        let number = dice.below(self.world.cluster.instances.len());
        match dice.below(31) {
            0 | 1 => Fault::KillRedis { keeps_data: !dice.one_in(3), down: dice.milliseconds(0..=6_000) },
            2 | 3 => Fault::PauseRedis(dice.milliseconds(200..=8_000)),
            4 | 5 => Fault::KillInstance { number, down: dice.milliseconds(0..=4_000) },
            6 => Fault::PauseInstance { number, pause: dice.milliseconds(200..=4_000) },
            7 | 8 => Fault::CutLink(number),
            9 | 10 => Fault::ResetLink(number),
            11 => Fault::HalfCloseLink(number, dice.pick(&[Direction::ToServer, Direction::ToClient])),
            12..=14 => {
                let (to_server, to_client) = dice.pick(&[
                    (Way::Swallow, Way::Swallow),
                    (Way::Swallow, Way::Forward),
                    (Way::Forward, Way::Swallow),
                ]);
                let rule = Rule { to_server, to_client, refuses: false };
                Fault::SpoilLink { number, rule, lasts: dice.milliseconds(500..=8_000) }
            }
            15 | 16 => {
                let rule = Rule::both(Way::Delay(dice.milliseconds(20..=900)));
                Fault::SpoilLink { number, rule, lasts: dice.milliseconds(500..=8_000) }
            }
            22..=26 => {
                let channel = dice.below(self.world.ledger.history().channels.len());
                let how = dice.pick(&[
                    Impairment::Full,
                    Impairment::ReadOnly,
                    Impairment::Evicting,
                    Impairment::WrongType { channel },
                    Impairment::ClockStep,
                ]);
                Fault::ImpairRedis { how, lasts: dice.milliseconds(500..=6_000) }
            }
            27 | 28 => Fault::StopInstance { number, down: dice.milliseconds(0..=2_000) },
            29 => Fault::PublishAndDrop { tabs: 1 + dice.below(self.tabs.len() / 10) },
            30 => Fault::AbortStreams { streams: 1 + dice.below(100) },
            17 => Fault::SpoilLink { number, rule: Rule::refuse(), lasts: dice.milliseconds(500..=5_000) },
            _ => Fault::DropTabs { tabs: 1 + dice.below(self.tabs.len() / 3) },
        }
    }
}

impl Fault {
    fn part(self) -> Part {
        match self {
            Self::KillRedis { .. } | Self::PauseRedis(_) | Self::ImpairRedis { .. } => Part::Redis,
            Self::KillInstance { number, .. }
            | Self::PauseInstance { number, .. }
            | Self::StopInstance { number, .. } => Part::Instance(number),
            Self::CutLink(number)
            | Self::ResetLink(number)
            | Self::HalfCloseLink(number, _)
            | Self::SpoilLink { number, .. } => Part::Link(number),
            Self::DropTabs { .. } | Self::PublishAndDrop { .. } | Self::AbortStreams { .. } => Part::Tabs,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::KillRedis { keeps_data: true, .. } => "redis killed",
            Self::KillRedis { keeps_data: false, .. } => "redis killed and emptied",
            Self::PauseRedis(_) => "redis paused",
            Self::KillInstance { .. } => "instance killed",
            Self::PauseInstance { .. } => "instance paused",
            Self::StopInstance { .. } => "instance stopped",
            Self::ImpairRedis { how, .. } => how.name(),
            Self::CutLink(_) => "link cut",
            Self::ResetLink(_) => "link reset",
            Self::HalfCloseLink(..) => "link half closed",
            Self::SpoilLink { rule: Rule { refuses: true, .. }, .. } => "link refused",
            Self::SpoilLink { rule: Rule { to_client: Way::Delay(_), .. }, .. } => "link slow",
            Self::SpoilLink { .. } => "link black hole",
            Self::DropTabs { .. } => "tabs dropped",
            Self::PublishAndDrop { .. } => "tabs dropped right after a publish",
            Self::AbortStreams { .. } => "event streams aborted",
        }
    }

    async fn happen(self, world: &World, tabs: &[Tab], dice: &mut Dice) -> Result<(), SoakError> {
        let cluster = &world.cluster;
        match self {
            Self::KillRedis { keeps_data, down } => {
                cluster.redis.kill();
                if !keeps_data {
                    world.ledger.logged(&cluster.redis.logged()?);
                    cluster.redis.empty()?;
                }
                sleep(down).await;
                cluster.redis.run().await?;
            }
            Self::PauseRedis(pause) => {
                cluster.redis.pause()?;
                sleep(pause).await;
                cluster.redis.resume()?;
            }
            Self::KillInstance { number, down } => {
                let instance = &cluster.instances[number];
                world.ledger.killed(instance.current());
                instance.kill();
                sleep(down).await;
                instance.run()?;
            }
            Self::ImpairRedis { how, lasts } => {
                let channels = world.ledger.history().channels.clone();
                how.last(&cluster.redis, &channels, lasts).await?;
            }
            Self::StopInstance { number, down } => {
                cluster.instances[number].stop().await?;
                sleep(down).await;
                cluster.instances[number].run()?;
            }
            Self::PublishAndDrop { tabs: count } => {
                let channels = world.ledger.history().channels.len();
                for _ in 0..count {
                    let tab = &tabs[dice.below(tabs.len())];
                    tab.order(Command::Publish { channel: dice.below(channels), padding: 50 });
                    tab.order(Command::Drop);
                }
            }
            Self::AbortStreams { streams } => {
                let instance = &cluster.instances[dice.below(cluster.instances.len())];
                for number in 0..streams {
                    let url = instance.url(&format!("/api/1/app-cluster/events?channel=view:soak:aborted:n{number}"));
                    // Aborted before it is answered, or soon after.
                    let _ = timeout(dice.milliseconds(0..=5), reqwest::get(url)).await;
                }
            }
            Self::PauseInstance { number, pause } => {
                cluster.instances[number].pause()?;
                sleep(pause).await;
                cluster.instances[number].resume()?;
            }
            Self::CutLink(number) => cluster.links[number].cut(),
            Self::ResetLink(number) => cluster.links[number].reset(),
            Self::HalfCloseLink(number, direction) => cluster.links[number].half_close(direction),
            Self::SpoilLink { number, rule, lasts } => {
                cluster.links[number].set(rule);
                sleep(lasts).await;
                cluster.links[number].set(Rule::default());
            }
            Self::DropTabs { tabs: count } => {
                for _ in 0..count {
                    tabs[dice.below(tabs.len())].order(Command::Drop);
                }
            }
        }
        Ok(())
    }
}
