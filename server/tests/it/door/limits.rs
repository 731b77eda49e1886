//! Floods, on one instance and on several.

use std::time::{Duration, Instant};

use reqwest::Client;
use server::config::Config;

use super::{
    HARMLESS, client_from,
    kit::{instance::Running, redis::Redis, until},
    try_change,
};

/// Tokens an address has at once.
const BURST: usize = 40;

fn config(redis: &Redis, instance: &str) -> Config {
    let mut config = Config { redis: redis.config(), ..Config::default() };
    config.site.instance = instance.into();
    config.limits.requests_per_second = u32::try_from(BURST / 2).unwrap();
    config
}

async fn pair(redis: &Redis) -> [Running; 2] {
    let pair = [Running::start(config(redis, "0")).await, Running::start(config(redis, "1")).await];
    until("both are linked", async || pair.iter().all(|one| one.ports.cluster.is_redis_available())).await;
    pair
}

/// Asks these in turn until one refuses; how many let it in, and how long it took.
async fn flood(client: &Client, instances: &[&Running]) -> (usize, Duration) {
    let since = Instant::now();
    for number in 0..1_000 {
        if try_change(client, instances[number % instances.len()], &[]).await == 429 {
            return (number, since.elapsed());
        }
    }
    panic!("a flood of 1,000 was let in");
}

/// Fails unless instances that share a Redis let in what one of them would. On a machine so busy that Redis
/// takes too long for once they may let in more for a second; not five times in a row.
async fn assert_counted_together(instances: &[&Running], first_client: u8) {
    let mut counts = Vec::new();
    for client in first_client..first_client + 5 {
        let (passed, took) = flood(&client_from(client), instances).await;
        assert!(passed >= BURST, "{passed} in {took:?}");
        if passed <= allowed(took, instances.len()) {
            return;
        }
        counts.push((passed, took));
    }
    panic!("they count apart: {counts:?}");
}

/// What a bucket gives in this time, on instances that report in parts.
fn allowed(took: Duration, instances: usize) -> usize {
    let grown = usize::try_from(took.as_millis()).unwrap() * BURST / 2_000;
    BURST + grown + instances * BURST / 16 + 2
}

#[tokio::test]
async fn two_instances_count_together() {
    let redis = Redis::start();
    let [left, right] = pair(&redis).await;
    assert_counted_together(&[&left, &right], 11).await;
    flood(&client_from(1), &[&left, &right]).await;
    // Who was refused by one is refused by the other, and told when to come back.
    until("the other refuses too", async || try_change(&client_from(1), &right, &[]).await == 429).await;
    let refused = client_from(1).put(left.url(HARMLESS)).send().await.unwrap();
    if refused.status() == 429 {
        assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
        assert_eq!(refused.json::<serde_json::Value>().await.unwrap()["code"], "RATE_LIMITED");
    }
    assert_ne!(try_change(&client_from(2), &left, &[]).await, 429, "others are not meant");
    let keys = redis.command("KEYS *throttle*");
    assert!(keys.contains("jpulse:dev:throttle:address:127.0.0.1"), "{keys}");
    let life = redis.command("PTTL jpulse:dev:throttle:address:127.0.0.1");
    let life: i64 = life.trim().trim_start_matches(':').parse().unwrap();
    assert!((-2..=2_000).contains(&life) && life != -1, "{life}");
}

#[tokio::test]
async fn limits_go_on_when_redis_is_killed_and_when_it_hangs() {
    let mut redis = Redis::start();
    let [left, right] = pair(&redis).await;
    redis.pause();
    let since = Instant::now();
    assert_ne!(try_change(&client_from(3), &left, &[]).await, 429);
    let (passed, took) = flood(&client_from(3), &[&left]).await;
    assert!((BURST / 2..=allowed(took, 1)).contains(&passed), "{passed} in {took:?}");
    // One request a second waits for it, for 100 ms; the rest is what the requests themselves take.
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
    redis.resume();
    redis.kill();
    until("both know", async || [&left, &right].iter().all(|one| !one.ports.cluster.is_redis_available())).await;
    for instance in [&left, &right] {
        let (passed, took) = flood(&client_from(4), &[instance]).await;
        assert!((BURST..=allowed(took, 1)).contains(&passed), "{passed} in {took:?}");
    }
    redis.run();
    until("both are back", async || [&left, &right].iter().all(|one| one.ports.cluster.is_redis_available())).await;
    assert_counted_together(&[&left, &right], 21).await;
}

#[tokio::test]
async fn fifty_changes_a_second_pass_and_reading_is_free() {
    let instance = Running::start(Config::default()).await;
    let client = client_from(6);
    for _ in 0..150 {
        assert_ne!(try_change(&client, &instance, &[]).await, 429);
    }
    for _ in 0..1_000 {
        assert_eq!(client.get(instance.url("/api/1/health/status")).send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_form_flood_meets_429_as_well() {
    let mut config = Config::default();
    config.limits.requests_per_second = 5;
    let instance = Running::start(config).await;
    let client = client_from(7);
    let mut statuses = Vec::new();
    for _ in 0..60 {
        let form = client.post(instance.url("/fn/todo-toggle")).body("id=nonsense");
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        statuses.push(form.send().await.unwrap().status().as_u16());
    }
    assert!(statuses.contains(&429), "{statuses:?}");
}
