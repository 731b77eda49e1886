//! The load goes on while Redis is away and while it comes back.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use app::ports::Publisher;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::super::kit::{
    SOON,
    browser::Browser,
    instance::Running,
    proxy::{Proxy, Rule, Way},
    redis::Redis,
    until, until_within,
};
use server::config::Config;

/// Channels, each with a publisher of its own.
const CHANNELS: u64 = 40;
/// How often each of them publishes: 300 messages a second in all.
const PUBLISH_EVERY: Duration = Duration::from_millis(133);
/// How long Redis is away.
const AWAY_FOR: Duration = Duration::from_secs(4);
/// How long the backlog may take to reach the other instance.
const BACK_WITHIN: Duration = Duration::from_secs(5);

/// Publishes on one channel at a constant rate, whatever the receipts say, until `is_over`; how many messages.
async fn publish_steadily(mut browser: Browser, channel: String, is_over: &AtomicBool, fallbacks: &AtomicU64) -> u64 {
    let padding = "x".repeat(1_000);
    let mut at = interval(PUBLISH_EVERY);
    at.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut number = 0;
    while !is_over.load(Ordering::Relaxed) {
        at.tick().await;
        number += 1;
        let data = json!({ "number": number, "padding": padding });
        let publish = json!({ "type": "publish", "channel": channel, "data": data, "requestId": number.to_string() });
        browser.send(publish).await;
        loop {
            let frame = browser.next().await;
            match frame["data"]["type"].as_str() {
                Some("published") => {
                    let is_fallback = frame["data"]["data"]["fallback"] == true;
                    fallbacks.fetch_add(u64::from(is_fallback), Ordering::Relaxed);
                    break;
                }
                Some("cluster") => {}
                _ => panic!("{frame}"),
            }
        }
    }
    number
}

/// Takes what a wildcard gets until every channel has come to its end.
async fn last_numbers(browser: &mut Browser, ends: &HashMap<String, u64>) {
    let mut seen: HashMap<String, u64> = HashMap::new();
    while seen != *ends {
        let frame = timeout(SOON, browser.next()).await.expect("everything comes");
        match frame["data"]["type"].as_str() {
            Some("broadcast") => {
                let message = &frame["data"]["data"];
                let last = seen.entry(message["channel"].as_str().unwrap().to_owned()).or_default();
                assert_eq!(
                    message["data"]["number"].as_u64(),
                    Some(*last + 1),
                    "in order, once: {}",
                    message["channel"]
                );
                *last += 1;
            }
            Some("cluster") => {}
            _ => panic!("{frame}"),
        }
    }
}

fn waiting(instance: &Running) -> u64 {
    instance.metrics.record().traffic.outbox
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_outage_is_over_within_seconds_though_the_load_never_pauses() {
    let redis = Redis::start();
    let proxy = Proxy::start(([127, 0, 0, 1], redis.port).into()).await.unwrap();
    proxy.set(Rule::both(Way::Delay(Duration::from_millis(2))));
    let config = |instance: &str| {
        let mut config = Config { redis: redis.config(), ..Config::default() };
        config.redis.single.port = proxy.address().port();
        config.site.instance = instance.into();
        config
    };
    let both = [Running::start(config("0")).await, Running::start(config("1")).await];
    until("both are linked", async || both.iter().all(|one| one.ports.cluster.is_redis_available())).await;
    let mut there = both[1].open_browser().await;
    there.subscribe("view:load:*").await;
    let (is_over, fallbacks) = (AtomicBool::new(false), AtomicU64::new(0));
    let publishing = futures_util::future::join_all((0..CHANNELS).map(|number| {
        let (is_over, fallbacks) = (&is_over, &fallbacks);
        let instance = &both[0];
        async move {
            let channel = format!("view:load:n{number}:changed");
            let end = publish_steadily(instance.open_browser().await, channel.clone(), is_over, fallbacks).await;
            (channel, end)
        }
    }));
    let cutting = async {
        sleep(Duration::from_secs(1)).await;
        proxy.set(Rule::refuse());
        proxy.cut();
        sleep(AWAY_FOR).await;
        assert!(waiting(&both[0]) > 500, "the load waits: {}", waiting(&both[0]));
        proxy.set(Rule::both(Way::Delay(Duration::from_millis(2))));
        until("the link is back", async || both[0].ports.cluster.is_redis_available()).await;
        let took = until_within(BACK_WITHIN, "nothing waits any more", async || waiting(&both[0]) == 0).await;
        let before = fallbacks.load(Ordering::Relaxed);
        sleep(Duration::from_secs(1)).await;
        is_over.store(true, Ordering::Relaxed);
        eprintln!("the retry buffer was empty {took:?} after the link was back");
        assert_eq!(fallbacks.load(Ordering::Relaxed), before, "new messages go to redis directly again");
    };
    let (ends, ()) = tokio::join!(publishing, cutting);
    last_numbers(&mut there, &ends.into_iter().collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_were_never_sent_do_not_read_whole_logs() {
    let redis = Redis::start();
    let proxy = Proxy::start(([127, 0, 0, 1], redis.port).into()).await.unwrap();
    let mut config = Config { redis: redis.config(), ..Config::default() };
    config.redis.single.port = proxy.address().port();
    let instance = Running::start(config).await;
    until("it is linked", async || instance.ports.cluster.is_redis_available()).await;
    let mut browser = instance.open_browser().await;
    let text = "x".repeat(60_000);
    let publish = async |browser: &mut Browser, count: u64| {
        for number in 0..count {
            let data = json!({ "text": text });
            browser
                .send(json!({ "type": "publish", "channel": "view:it:log:large", "data": data, "requestId": number }))
                .await;
            let frame = loop {
                let frame = browser.next().await;
                if frame["data"]["type"] == "published" || frame["success"] == false {
                    break frame;
                }
            };
            assert_eq!(frame["success"], true, "{frame}");
            sleep(Duration::from_millis(25)).await;
        }
    };
    publish(&mut browser, 200).await;
    proxy.set(Rule::refuse());
    proxy.cut();
    until("it knows", async || !instance.ports.cluster.is_redis_available()).await;
    publish(&mut browser, 20).await;
    redis.command("CONFIG RESETSTAT");
    proxy.set(Rule::default());
    until("nothing waits any more", async || waiting(&instance) == 0).await;
    // Microseconds of Redis's only thread for all scripts; reading a log of 12 MB takes tens of milliseconds each time.
    let stats = redis.command("INFO commandstats");
    let spent: f64 = ["evalsha", "eval"]
        .iter()
        .filter_map(|name| {
            let line = stats.lines().find(|line| line.starts_with(&format!("cmdstat_{name}:")))?;
            line.split("usec=").nth(1)?.split(',').next()?.parse::<f64>().ok()
        })
        .sum();
    assert!(spent > 0.0 && spent < 50_000.0, "{spent} µs: {stats}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_right_after_an_outage_sends_what_waits() {
    let redis = Redis::start();
    let proxy = Proxy::start(([127, 0, 0, 1], redis.port).into()).await.unwrap();
    let config = |port: u16, instance: &str| {
        let mut config = Config { redis: redis.config(), ..Config::default() };
        config.redis.single.port = port;
        config.site.instance = instance.into();
        config
    };
    let left = Running::start(config(proxy.address().port(), "0")).await;
    let right = Running::start(config(redis.port, "1")).await;
    let mut there = right.open_browser().await;
    there.subscribe("view:load:*").await;
    let ends = fill_while_away(&left, &proxy, 1_200).await;
    // Slow enough that the stop comes in the middle.
    proxy.set(Rule::both(Way::Delay(Duration::from_millis(20))));
    until("the link is back", async || left.ports.cluster.is_redis_available()).await;
    let since = Instant::now();
    left.stop().await;
    eprintln!("stopped within {:?}", since.elapsed());
    last_numbers(&mut there, &ends).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stop_cannot_send_any_more_is_a_gap() {
    let redis = Redis::start();
    let proxy = Proxy::start(([127, 0, 0, 1], redis.port).into()).await.unwrap();
    let config = |port: u16, instance: &str| {
        let mut config = Config { redis: redis.config(), ..Config::default() };
        config.redis.single.port = port;
        config.site.instance = instance.into();
        config
    };
    let mut away = config(proxy.address().port(), "0");
    away.server.shutdown_seconds = 4;
    away.redis.fallback.outbox_messages = 50_000;
    let left = Running::start(away).await;
    let right = Running::start(config(redis.port, "1")).await;
    let mut there = right.open_browser().await;
    there.subscribe("view:load:n0:changed").await;
    fill_while_away(&left, &proxy, 40 * 1_000).await;
    // Hundreds of round trips on few channels are more than the time for stopping holds.
    proxy.set(Rule::both(Way::Delay(Duration::from_millis(150))));
    until("the link is back", async || left.ports.cluster.is_redis_available()).await;
    left.stop().await;
    let mut types = Vec::new();
    while types.last() != Some(&json!("gap")) {
        types.push(there.next().await["data"]["type"].clone());
    }
}

/// Cuts an instance off and publishes on it, in turn on each channel, until `count` messages wait; the last number of
/// each channel.
async fn fill_while_away(instance: &Running, proxy: &Proxy, count: u64) -> HashMap<String, u64> {
    until("it is linked", async || instance.ports.cluster.is_redis_available()).await;
    proxy.set(Rule::refuse());
    proxy.cut();
    until("it knows", async || !instance.ports.cluster.is_redis_available()).await;
    let each = count / CHANNELS;
    let filling = (0..CHANNELS).map(|number| async move {
        let channel: wire::Channel = format!("view:load:n{number}:changed").parse().unwrap();
        let publisher = Publisher::default();
        for number in 1..=each {
            let payload = [("number".to_owned(), Value::from(number))].into_iter().collect();
            let receipt = instance.ports.cluster.publish_broadcast(&channel, payload, publisher.clone()).await;
            assert!(receipt.unwrap().fallback);
        }
        (channel.to_string(), each)
    });
    futures_util::future::join_all(filling).await.into_iter().collect()
}
