//! Random programs of publish, cut, refuse, evict, stop and resume, against a model of the logs.
//!
//! Two hubs on a real Redis, each behind a proxy. The model knows what was published in which order; after each program
//! everything is mended, and every listener must have had each message once and in the log's order, or have learned of a
//! gap. A program without evictions must not cause one.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use proptest::{collection::vec, prelude::*, test_runner::Config as Proptest};
use server::{
    bus::{Bus, Link, RedisBus},
    config::RedisConfig,
    hub::{Batch, Draft, Hub, Listener, Omit, OutboxLimits, Subscription},
};
use tokio::{runtime::Runtime, time::Instant};
use wire::{Channel, Pattern, Position, Since};

use super::kit::{
    proxy::{Proxy, Rule},
    redis::Redis,
    until,
};

const CHANNELS: usize = 3;
const HUBS: usize = 2;
const PREFIX: &str = "it:dev:";
/// How long the link may take to be lost, or to come back.
const LIMITS: OutboxLimits = OutboxLimits { messages: 10_000, bytes: 16 << 20 };

/// One step of a program.
#[derive(Clone, Copy, Debug)]
enum Step {
    Publish {
        hub: usize,
        channel: usize,
        count: usize,
    },
    Cut {
        hub: usize,
    },
    Restore {
        hub: usize,
    },
    Refuse {
        channel: usize,
    },
    Mend {
        channel: usize,
    },
    Evict {
        channel: usize,
        key: &'static str,
    },
    /// Stopped gracefully and started again under the same name.
    Restart {
        hub: usize,
    },
    /// A listener goes away and comes back with its position.
    Resume {
        hub: usize,
        channel: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (hub, channel) = (0..HUBS, 0..CHANNELS);
    let key = prop_oneof![Just("pos"), Just("log"), Just("ids")];
    prop_oneof![
        8 => (hub.clone(), channel.clone(), 1..20_usize)
            .prop_map(|(hub, channel, count)| Step::Publish { hub, channel, count }),
        2 => hub.clone().prop_map(|hub| Step::Cut { hub }),
        2 => hub.clone().prop_map(|hub| Step::Restore { hub }),
        1 => channel.clone().prop_map(|channel| Step::Refuse { channel }),
        1 => channel.clone().prop_map(|channel| Step::Mend { channel }),
        1 => (channel.clone(), key).prop_map(|(channel, key)| Step::Evict { channel, key }),
        1 => hub.clone().prop_map(|hub| Step::Restart { hub }),
        2 => (hub, channel).prop_map(|(hub, channel)| Step::Resume { hub, channel }),
    ]
}

/// What one listener got on one channel, through all its subscriptions.
#[derive(Debug, Default)]
struct Received {
    known: BTreeSet<Arc<str>>,
    /// Those that came with a position, in order. What is delivered without one, in an outage, may come before earlier
    /// messages of the log.
    in_order: Vec<Arc<str>>,
    position: Option<Position>,
    gaps: usize,
    /// What breaks a promise.
    faults: Vec<String>,
}

struct Recorder(Mutex<Received>);

impl Recorder {
    fn take(&self, batch: &[Arc<server::hub::Delivery>]) {
        let mut received = self.0.lock().unwrap();
        for delivery in batch {
            if let Some(at) = &delivery.message.position {
                let follows =
                    received.position.as_ref().is_none_or(|now| now.epoch != at.epoch || now.offset < at.offset);
                if follows {
                    received.position = Some(at.clone());
                    received.in_order.extend(delivery.message.id.clone());
                } else if received.known.contains(delivery.message.id.as_ref().unwrap()) {
                    continue;
                } else {
                    let fault = format!("{:?} came behind {:?}", at, received.position);
                    received.faults.push(fault);
                }
            }
            received.known.insert(delivery.message.id.clone().unwrap());
        }
    }
}

impl Listener for Recorder {
    fn deliver(&self, batch: &Batch) {
        self.take(batch.deliveries());
    }

    fn lost(&self, _: &Channel, _: Option<&Position>) {
        let mut received = self.0.lock().unwrap();
        received.gaps += 1;
        // A new log may follow, from its first message on.
        received.position = None;
    }
}

/// One hub with a listener on every channel.
struct Node {
    hub: Hub,
    bus: Arc<RedisBus>,
    subscriptions: Vec<Option<Subscription>>,
}

struct World {
    redis: Redis,
    proxies: Vec<Proxy>,
    nodes: Vec<Node>,
    recorders: Vec<Vec<Arc<Recorder>>>,
    /// Ids by channel and publisher, in the order of publishing.
    published: BTreeMap<(usize, usize), Vec<Arc<str>>>,
    refused: BTreeSet<usize>,
    evicted: BTreeSet<usize>,
}

fn channel(number: usize) -> Channel {
    format!("view:program:c{number}:changed").parse().unwrap()
}

fn key(kind: &str, number: usize) -> String {
    format!("{PREFIX}{kind}:{{{}}}", channel(number))
}

async fn start_node(redis: &RedisConfig, number: usize) -> Node {
    let (bus, inbox) = RedisBus::start(redis, PREFIX.to_owned()).unwrap();
    let hub = Hub::start(bus.clone(), inbox, format!("it:{number}").as_str().into(), LIMITS, &[]);
    Node { hub, bus, subscriptions: (0..CHANNELS).map(|_| None).collect() }
}

impl World {
    async fn start() -> Self {
        let redis = Redis::start();
        let (mut proxies, mut nodes) = (Vec::new(), Vec::new());
        for number in 0..HUBS {
            let proxy = Proxy::start(([127, 0, 0, 1], redis.port).into()).await.unwrap();
            let mut config = redis.config();
            config.single.port = proxy.address().port();
            nodes.push(start_node(&config, number).await);
            proxies.push(proxy);
        }
        let recorder = || Arc::new(Recorder(Mutex::default()));
        let recorders = (0..HUBS).map(|_| (0..CHANNELS).map(|_| recorder()).collect()).collect();
        let (published, refused, evicted) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        let mut world = Self { redis, proxies, nodes, recorders, published, refused, evicted };
        world.until_linked().await;
        for hub in 0..HUBS {
            for channel in 0..CHANNELS {
                world.subscribe(hub, channel).await;
            }
        }
        world
    }

    async fn until_linked(&self) {
        until("every hub is linked", async || self.nodes.iter().all(|node| *node.hub.link().borrow() == Link::Up))
            .await;
    }

    async fn subscribe(&mut self, hub: usize, number: usize) {
        let recorder = Arc::clone(&self.recorders[hub][number]);
        let since = recorder.0.lock().unwrap().position.clone();
        let pattern = Pattern::from(&channel(number));
        let listener: Arc<dyn Listener> = recorder.clone();
        let resumed = since.clone().map_or(Since::Now, Since::After);
        // Missed messages come before live ones, as a socket sends them: nothing is published while this waits.
        let joined = self.nodes[hub].hub.subscribe(&pattern, Omit::Nothing, resumed, listener).await;
        if since.is_some() && !joined.is_recovered {
            let mut received = recorder.0.lock().unwrap();
            received.gaps += 1;
            received.position.clone_from(&joined.position);
        }
        recorder.take(&joined.missed);
        if since.is_none() {
            let mut received = recorder.0.lock().unwrap();
            if received.position.is_none() {
                received.position = joined.position;
            }
        }
        self.nodes[hub].subscriptions[number] = Some(joined.subscription);
    }

    async fn run(&mut self, step: Step) {
        match step {
            Step::Publish { hub, channel: number, count } => {
                for _ in 0..count {
                    let draft = Draft {
                        channel: channel(number),
                        payload: serde_json::Map::new(),
                        uuid: None,
                        username: String::new(),
                        saved: None,
                    };
                    let receipt = self.nodes[hub].hub.publish(draft).await.unwrap();
                    self.published.entry((number, hub)).or_default().push(receipt.id);
                }
            }
            Step::Cut { hub } => {
                self.proxies[hub].set(Rule::refuse());
                self.proxies[hub].cut();
                let node = &self.nodes[hub];
                until("the link is lost", async || *node.hub.link().borrow() == Link::Down).await;
            }
            Step::Restore { hub } => {
                self.proxies[hub].set(Rule::default());
            }
            Step::Refuse { channel } => {
                if self.refused.insert(channel) {
                    self.redis.command(&format!("RENAME {} aside:{channel}", key("log", channel)));
                    self.redis.command(&format!("SET {} junk", key("log", channel)));
                }
            }
            Step::Mend { channel } => {
                if self.refused.remove(&channel) {
                    self.redis.command(&format!("DEL {}", key("log", channel)));
                    self.redis.command(&format!("RENAME aside:{channel} {}", key("log", channel)));
                }
            }
            Step::Evict { channel, key: kind } => {
                if !self.refused.contains(&channel) {
                    self.evicted.insert(channel);
                    self.redis.command(&format!("DEL {}", key(kind, channel)));
                }
            }
            Step::Restart { hub } => {
                let node = &self.nodes[hub];
                // Longer than mending takes: what is lost for want of time is another test's matter.
                if *node.hub.link().borrow() != Link::Up || !self.refused.is_empty() {
                    return;
                }
                node.hub.drain(Instant::now() + Duration::from_secs(8)).await;
                node.hub.stop().await;
                node.bus.close().await;
                let mut config = self.redis.config();
                config.single.port = self.proxies[hub].address().port();
                self.nodes[hub] = start_node(&config, hub).await;
                self.until_one_linked(hub).await;
                for number in 0..CHANNELS {
                    self.subscribe(hub, number).await;
                }
            }
            Step::Resume { hub, channel } => {
                self.nodes[hub].subscriptions[channel] = None;
                self.subscribe(hub, channel).await;
            }
        }
    }

    async fn until_one_linked(&self, hub: usize) {
        until("the hub is linked", async || *self.nodes[hub].hub.link().borrow() == Link::Up).await;
    }

    /// Mends everything and waits until every listener has what came last.
    async fn settle(&mut self) {
        for hub in 0..HUBS {
            self.run(Step::Restore { hub }).await;
        }
        for channel in 0..CHANNELS {
            self.run(Step::Mend { channel }).await;
        }
        self.until_linked().await;
        for node in &self.nodes {
            // The pauses of a refused channel grow with the time it was refused.
            super::kit::until_within(Duration::from_secs(20), "nothing waits", async || node.hub.stats().outbox == 0)
                .await;
        }
        for number in 0..CHANNELS {
            self.run(Step::Publish { hub: 0, channel: number, count: 1 }).await;
            let last = self.published[&(number, 0)].last().cloned().unwrap();
            for recorders in &self.recorders {
                let recorder = &recorders[number];
                until("the last message comes", async || recorder.0.lock().unwrap().known.contains(&last)).await;
            }
        }
    }

    /// What breaks a promise.
    fn judge(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (hub, recorders) in self.recorders.iter().enumerate() {
            for (number, recorder) in recorders.iter().enumerate() {
                let received = recorder.0.lock().unwrap();
                let name = format!("listener of channel {number} on hub {hub}");
                faults.extend(received.faults.iter().map(|fault| format!("{name}: {fault}")));
                if received.gaps > 0 && !self.evicted.contains(&number) {
                    faults.push(format!("{name}: {} gaps without a reason", received.gaps));
                }
                let places: HashMap<_, _> =
                    received.in_order.iter().enumerate().map(|(place, id)| (id, place)).collect();
                for ((_, publisher), ids) in self.published.iter().filter(|((channel, _), _)| *channel == number) {
                    let lost: Vec<_> = ids.iter().filter(|id| !received.known.contains(*id)).collect();
                    if received.gaps == 0 && !lost.is_empty() {
                        faults.push(format!("{name}: {} of hub {publisher} are lost in silence", lost.len()));
                    }
                    let order: Vec<_> = ids.iter().filter_map(|id| places.get(id)).collect();
                    if received.gaps == 0 && !order.is_sorted() {
                        faults.push(format!("{name}: those of hub {publisher} are out of order"));
                    }
                }
            }
        }
        faults
    }
}

proptest! {
    // Each program runs for seconds on real servers; `PROPTEST_CASES` asks for more of them.
    #![proptest_config(Proptest {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(6),
        max_shrink_iters: 24,
        failure_persistence: None,
        ..Proptest::default()
    })]

    #[test]
    fn no_program_loses_doubles_or_reorders_in_silence(program in vec(step(), 5..40)) {
        let faults = Runtime::new().unwrap().block_on(async {
            let mut world = World::start().await;
            for step in &program {
                world.run(*step).await;
            }
            world.settle().await;
            world.judge()
        });
        prop_assert!(faults.is_empty(), "{faults:#?}");
    }
}
