//! Redis in every way it can be set up: what happens when a part of it is lost.

mod cluster;
mod samples;
mod sentinel;
mod single;
mod tls;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use server::config::{Config, RedisConfig};
use tokio::{task::JoinHandle, time::sleep};

use super::kit::{browser::Browser, instance::Running, redis::Redis, until_within};

const NEWS: &str = "view:it:news:published";
const PREFIX: &str = "jpulse:dev:";
/// How long the link may take to come back once Redis answers again.
const BACK_WITHIN: Duration = Duration::from_secs(4);
/// Between two messages of a [`Counting`].
const PAUSE: Duration = Duration::from_millis(10);

/// An instance with a number of its own.
async fn instance(redis: RedisConfig, number: &str) -> Running {
    let mut config = Config { redis, ..Config::default() };
    config.site.instance = number.into();
    // All that is published here, and asked meanwhile, comes from one address.
    config.limits.requests_per_second = 10_000;
    Running::start(config).await
}

/// Two instances, linked.
async fn pair(redis: &RedisConfig) -> [Running; 2] {
    let both = [instance(redis.clone(), "0").await, instance(redis.clone(), "1").await];
    wait_until_linked(&both, Duration::from_secs(10)).await;
    both
}

fn is_linked(instance: &Running) -> bool {
    instance.ports.cluster.is_redis_available()
}

/// Waits until all have a link; how long it took.
async fn wait_until_linked(instances: &[Running], limit: Duration) -> Duration {
    until_within(limit, "the instances are linked", async || instances.iter().all(is_linked)).await
}

/// Waits until both instances are subscribed again on these servers; how long it took.
async fn wait_until_heard(servers: &[&Redis], instances: &[Running; 2]) -> Duration {
    until_within(BACK_WITHIN, "both are subscribed and linked", async || {
        let heard = servers.iter().map(|server| server.command("PUBSUB CHANNELS *heartbeat*"));
        heard.map(|names| names.matches("heartbeat").count()).sum::<usize>() == 2 && instances.iter().all(is_linked)
    })
    .await
}

/// Waits until what each instance publishes on a channel is given a position: the link is what it claims to
/// be then. How long it took.
async fn wait_until_logged(instances: &[Running; 2], channel: &str) -> Duration {
    let mut took = Duration::ZERO;
    for instance in instances {
        let is_logged = async || publish_on(instance, channel, 0).await.get("fallback").is_none();
        took += until_within(BACK_WITHIN.saturating_sub(took), "messages are logged", is_logged).await;
    }
    took
}

/// Waits until none has a link.
async fn wait_until_cut(instances: &[Running]) {
    let limit = Duration::from_secs(6);
    until_within(limit, "the instances know", async || !instances.iter().any(is_linked)).await;
}

/// Publishes a number; the receipt.
async fn publish(instance: &Running, number: u64) -> Value {
    publish_on(instance, NEWS, number).await
}

async fn publish_on(instance: &Running, channel: &str, number: u64) -> Value {
    let url = instance.url(&format!("/api/1/app-cluster/broadcast/{channel}"));
    post(&reqwest::Client::new(), &url, number).await
}

async fn post(client: &reqwest::Client, url: &str, number: u64) -> Value {
    let body = json!({ "data": { "number": number } });
    let answer: Value = client.post(url).json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["success"], true, "{answer}");
    answer["data"].clone()
}

/// Publishes 1, 2, 3, … through an instance, each when the one before is answered, whatever Redis does.
struct Counting {
    stop: Arc<AtomicBool>,
    task: JoinHandle<u64>,
}

impl Counting {
    fn start(instance: &Running) -> Self {
        let url = instance.url(&format!("/api/1/app-cluster/broadcast/{NEWS}"));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let client = reqwest::Client::new();
            let mut number = 0;
            while !stopped.load(Ordering::Relaxed) {
                number += 1;
                post(&client, &url, number).await;
                sleep(PAUSE).await;
            }
            number
        });
        Self { stop, task }
    }

    /// Ends it; the last number.
    async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}

/// What a browser hears up to the number `last`, in order; fails when it is told of a gap.
async fn numbers_until(browser: &mut Browser, last: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    while seen.last() != Some(&last) {
        let frame = browser.next().await;
        match frame["data"]["type"].as_str() {
            Some("broadcast") => seen.push(frame["data"]["data"]["data"]["number"].as_u64().unwrap()),
            Some("cluster") => {}
            _ => panic!("unexpected: {frame}"),
        }
    }
    seen
}

/// A browser that is subscribed with a position: one without is told of a gap when there is one.
async fn subscribed(instance: &Running) -> Browser {
    let mut subscribed = None;
    until_within(BACK_WITHIN, "a subscription has a position", async || {
        let mut browser = instance.open_browser().await;
        let has_position = browser.subscribe(NEWS).await["offset"].is_u64();
        subscribed = has_position.then_some(browser);
        has_position
    })
    .await;
    subscribed.unwrap()
}

/// Counts on one instance while something happens, and proves that listeners on both hear every number
/// once, those on the other instance in order.
async fn count_through(instances: &[Running; 2], happens: impl AsyncFnOnce()) {
    let [left, right] = instances;
    let (mut here, mut there) = (subscribed(left).await, subscribed(right).await);
    let counting = Counting::start(left);
    sleep(PAUSE * 20).await;
    happens().await;
    // Some more with the link that is back.
    sleep(PAUSE * 20).await;
    let last = counting.stop().await;
    let heard = numbers_until(&mut there, last).await;
    assert_eq!(heard, (1..=last).collect::<Vec<_>>(), "on the other instance");
    let mut own = numbers_until(&mut here, last).await;
    // What waited for its turn in the log may come after what was delivered here at once.
    while own.len() < heard.len() {
        let frame = here.next().await;
        own.extend(frame["data"]["data"]["data"]["number"].as_u64());
    }
    own.sort_unstable();
    assert_eq!(own, heard, "on the instance that publishes");
    here.expect_nothing().await;
    there.expect_nothing().await;
}
