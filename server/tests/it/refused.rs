//! A Redis that is there and takes no writes: everything that reports says so and why, browsers hear it once, and no
//! link is made in vain. When it takes them again, all is as before.

mod cluster;
mod single;

use std::time::Duration;

use serde_json::{Value, json};
use server::config::{Config, RedisConfig};

use super::kit::{
    browser::{Browser, Seen},
    instance::Running,
    until, until_within,
};

const NEWS: &str = "view:it:news:published";
/// For how long a Redis that is not well is watched.
const WATCHED: Duration = Duration::from_secs(6);
/// How long all may take to be well after Redis is.
const BACK_WITHIN: Duration = Duration::from_secs(5);
/// Attempts to connect in [`WATCHED`] at most.
const CONNECTS: u64 = 8;

async fn instance(redis: RedisConfig, number: &str) -> Running {
    let mut config = Config { redis, ..Config::default() };
    config.site.instance = number.into();
    config.metrics.report_seconds = 1;
    Running::start(config).await
}

/// What an instance answers to this path: the status, and the body.
async fn ask(instance: &Running, path: &str) -> (u16, Value) {
    let answer = reqwest::get(instance.url(path)).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// The value of a metric, named with its labels.
async fn metric(instance: &Running, name: &str) -> u64 {
    let text = reqwest::get(instance.url("/metrics")).await.unwrap().text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().unwrap()
}

async fn publish(instance: &Running, channel: &str, number: u64) -> Value {
    let url = instance.url(&format!("/api/1/app-cluster/broadcast/{channel}"));
    let body = json!({ "data": { "number": number } });
    let answer: Value = reqwest::Client::new().post(url).json(&body).send().await.unwrap().json().await.unwrap();
    answer["data"].clone()
}

async fn is_well(instance: &Running) -> bool {
    ask(instance, "/health").await.0 == 200
}

/// A browser that listens.
async fn listening(instance: &Running) -> Browser {
    let mut browser = instance.open_browser().await;
    browser.subscribe(NEWS).await;
    browser
}

/// What a browser sees until the answer to its ping, but for messages: the states of the cluster in their order.
async fn states(browser: &mut Browser) -> Vec<bool> {
    browser.send(json!({ "type": "ping" })).await;
    let mut states = Vec::new();
    loop {
        let Seen::Frame(frame) = browser.see().await else { panic!("closed") };
        match frame["data"]["type"].as_str() {
            Some("cluster") => states.push(frame["data"]["data"]["clusterMode"].as_bool().unwrap()),
            Some("pong") => return states,
            _ => {}
        }
    }
}

/// Everything that reports names this cause, and that stays so.
async fn expect_refusal(instance: &Running, cause: &str) {
    until("health says why", async || {
        let (status, health) = ask(instance, "/health").await;
        status == 503 && health["redis"]["cause"] == cause
    })
    .await;
    until("the status says why", async || {
        let status = ask(instance, "/api/1/app-cluster/broadcast/status").await.1["data"].take();
        status["redisAvailable"] == false && status["cause"] == cause
    })
    .await;
    assert_eq!(metric(instance, &format!("jpulse_redis_outage{{cause=\"{cause}\"}}")).await, 1);
    assert_eq!(metric(instance, "jpulse_redis_up").await, 0);
    let record = instance.metrics.record();
    assert_eq!((&*record.process.link, &*record.process.outage), ("down", cause));
}

/// Spoils Redis under two instances, watches, cures it; what must hold for every cause.
async fn goes_through(
    pair: &[Running; 2],
    cause: &str,
    spoil: impl AsyncFnOnce(),
    look: impl AsyncFnOnce(),
    cure: impl AsyncFnOnce(),
) {
    let [left, right] = pair;
    until("both are linked", async || is_well(left).await && is_well(right).await).await;
    let (mut here, mut there) = (listening(left).await, listening(right).await);
    assert!(publish(left, NEWS, 1).await.get("fallback").is_none());
    assert_eq!(
        (here.next_data().await["number"].as_u64(), there.next_data().await["number"].as_u64()),
        (Some(1), Some(1))
    );
    let connects = metric(left, "jpulse_redis_connects_total").await;

    spoil().await;
    expect_refusal(left, cause).await;
    let watching = tokio::time::sleep(WATCHED);
    assert_eq!(publish(left, NEWS, 2).await["fallback"], true);
    look().await;
    watching.await;
    expect_refusal(left, cause).await;
    assert_eq!(states(&mut here).await, [false], "one frame for one state");
    let made = metric(left, "jpulse_redis_connects_total").await - connects;
    assert!(made <= CONNECTS, "{made} connects in {WATCHED:?}");

    cure().await;
    let both_well = async || is_well(left).await && is_well(right).await;
    let took = until_within(BACK_WITHIN, "both are well", both_well).await;
    eprintln!("{cause}: {made} connects in {WATCHED:?}, well after {took:?}");
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let frame = here.next().await;
        if frame["data"]["type"] == "cluster" {
            heard.push(frame["data"]["data"]["clusterMode"].clone());
            break;
        }
    }
    assert_eq!(heard, [true]);
    assert!(states(&mut here).await.is_empty());
    until("messages are logged again", async || publish(left, NEWS, 3).await.get("fallback").is_none()).await;
    let mut numbers = Vec::new();
    while numbers.last() != Some(&3) {
        let frame = there.next().await;
        numbers.extend(frame["data"]["data"]["data"]["number"].as_u64());
    }
    assert_eq!(numbers.first(), Some(&2), "what waited goes out first: {numbers:?}");
    assert_eq!(metric(left, &format!("jpulse_redis_outage{{cause=\"{cause}\"}}")).await, 0);
}
