//! Redis comes and goes.

mod refused;
mod under_load;

use serde_json::json;
use server::config::{Config, RedisConfig, SingleConfig};

use super::kit::{free_port, instance::Running, redis::Redis, until};

const NEWS: &str = "view:it:news:published";

async fn publish(instance: &Running, number: usize) -> serde_json::Value {
    let url = instance.url(&format!("/api/1/app-cluster/broadcast/{NEWS}"));
    let body = json!({ "data": { "number": number } });
    reqwest::Client::new().post(url).json(&body).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_wrong_redis_address_leaves_an_instance_that_works_alone() {
    let single = SingleConfig { host: "127.0.0.1".into(), port: free_port(), ..SingleConfig::default() };
    let config = Config { redis: RedisConfig { single, ..RedisConfig::default() }, ..Config::default() };
    let instance = Running::start(config).await;
    let mut browser = instance.open_browser().await;
    browser.subscribe(NEWS).await;
    assert_eq!(publish(&instance, 1).await["data"]["fallback"], true);
    assert_eq!(browser.next_data().await["number"], 1);
    let health = reqwest::get(instance.url("/health")).await.unwrap();
    assert_eq!(health.status(), 503);
}

#[tokio::test]
async fn messages_that_fell_out_of_the_outbox_are_reported_as_a_gap() {
    let redis = Redis::start();
    let config = |instance: &str| {
        let mut config = Config { redis: redis.config(), ..Config::default() };
        config.site.instance = instance.into();
        config.redis.fallback.outbox_messages = 3;
        config
    };
    let (left, right) = (Running::start(config("0")).await, Running::start(config("1")).await);
    let mut there = right.open_browser().await;
    there.subscribe(NEWS).await;
    publish(&left, 0).await;
    assert_eq!(there.next_data().await["number"], 0);

    redis.pause();
    until("it knows", async || !left.ports.cluster.is_redis_available()).await;
    for number in 1..=10 {
        assert_eq!(publish(&left, number).await["data"]["fallback"], true);
    }
    redis.resume();
    let mut story = Vec::new();
    while story.last() != Some(&json!(10)) {
        let frame = there.next().await;
        match frame["data"]["type"].as_str() {
            Some("broadcast") => story.push(frame["data"]["data"]["data"]["number"].clone()),
            Some("gap") => story.push(json!("gap")),
            _ => {}
        }
    }
    assert_eq!(story, [json!("gap"), json!(8), json!(9), json!(10)]);
}

#[tokio::test]
async fn messages_of_an_outage_reach_the_other_instance_in_order_and_once() {
    let mut redis = Redis::start();
    let config = |instance: &str| {
        let mut config = Config { redis: redis.config(), ..Config::default() };
        config.site.instance = instance.into();
        config
    };
    let (left, right) = (Running::start(config("0")).await, Running::start(config("1")).await);
    let (mut here, mut there) = (left.open_browser().await, right.open_browser().await);
    here.subscribe(NEWS).await;
    there.subscribe(NEWS).await;
    publish(&left, 0).await;
    assert_eq!(here.next_data().await["number"], 0);
    assert_eq!(there.next_data().await["number"], 0);

    redis.kill();
    until("both know", async || !left.ports.cluster.is_redis_available() && !right.ports.cluster.is_redis_available())
        .await;
    assert_eq!(here.next().await["data"], json!({ "type": "cluster", "data": { "clusterMode": false } }));
    for number in 1..=20 {
        assert_eq!(publish(&left, number).await["data"]["fallback"], true);
        assert_eq!(here.next_data().await["number"], number);
    }
    redis.run();
    until("both are back", async || {
        left.ports.cluster.is_redis_available() && right.ports.cluster.is_redis_available()
    })
    .await;
    assert!(publish(&left, 21).await["data"].get("fallback").is_none());
    let mut seen = Vec::new();
    while seen.last() != Some(&21) {
        let frame = there.next().await;
        if frame["data"]["type"] == "broadcast" {
            seen.push(frame["data"]["data"]["data"]["number"].as_u64().unwrap());
        }
    }
    assert_eq!(seen, (1..=21).collect::<Vec<u64>>());
    // Who heard them during the outage does not hear them again.
    let mut again = Vec::new();
    while again.last() != Some(&21) {
        let frame = here.next().await;
        if frame["data"]["type"] == "broadcast" {
            again.push(frame["data"]["data"]["data"]["number"].as_u64().unwrap());
        }
    }
    assert_eq!(again, [21]);
}
