//! Subscriptions at the moment they are made, come back or are given up, with real Redis.

mod flat;
mod oversized;
mod released;

use std::time::Duration;

use app::ports::Publisher;
use serde_json::{Map, Value, json};
use server::config::{Config, RedisConfig, SingleConfig};
use tokio::time::sleep;

use super::kit::{
    browser::Browser,
    events::Events,
    instance::Running,
    proxy::{Proxy, Rule, Way},
    redis::Redis,
};

const NEWS: &str = "view:it:news:published";

fn config(port: u16, instance: &str) -> Config {
    let single = SingleConfig { host: "127.0.0.1".into(), port, ..SingleConfig::default() };
    let mut config = Config { redis: RedisConfig { single, ..RedisConfig::default() }, ..Config::default() };
    config.site.instance = instance.into();
    config
}

async fn pair(redis: &Redis) -> [Running; 2] {
    [Running::start(config(redis.port, "0")).await, Running::start(config(redis.port, "1")).await]
}

/// The same, but bytes between Redis and the second instance take 5 ms each way.
async fn pair_with_a_slow_one(redis: &Redis) -> ([Running; 2], Proxy) {
    let proxy = Proxy::start(([127, 0, 0, 1], redis.port).into()).await.unwrap();
    proxy.set(Rule::both(Way::Delay(Duration::from_millis(5))));
    let slow = Running::start(config(proxy.address().port(), "1")).await;
    ([Running::start(config(redis.port, "0")).await, slow], proxy)
}

/// Publishes through an instance; the position as JSON, for `since`.
async fn publish(instance: &Running, channel: &str, number: u64) -> Value {
    let payload = Map::from_iter([("number".to_owned(), json!(number))]);
    let channel = channel.parse().unwrap();
    let receipt = instance.ports.cluster.publish_broadcast(&channel, payload, Publisher::default()).await.unwrap();
    let position = receipt.position.expect("Redis has it");
    json!({ "epoch": position.epoch, "offset": position.offset })
}

/// The channel and the number of the next broadcast.
async fn next(browser: &mut Browser) -> (String, u64) {
    let frame = browser.next().await;
    let data = &frame["data"]["data"];
    let number = data["data"]["number"].as_u64();
    (data["channel"].as_str().unwrap_or_default().to_owned(), number.unwrap_or_else(|| panic!("no broadcast: {frame}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_published_while_a_channel_is_joined_reaches_the_subscriber_and_the_wildcard() {
    let redis = Redis::start();
    let ([left, right], _proxy) = pair_with_a_slow_one(&redis).await;
    let mut above = right.open_browser().await;
    above.subscribe("view:it:*").await;
    let mut browser = right.open_browser().await;
    for round in 0..48_u64 {
        let channel = format!("view:it:joined:c{round}");
        let first = publish(&left, &channel, 1).await;
        assert_eq!(next(&mut above).await, (channel.clone(), 1));
        // At each moment of the way of the SUBSCRIBE, and of the answer's.
        let request = json!({ "channel": channel, "since": first });
        let publishing = async {
            sleep(Duration::from_micros(round * 500)).await;
            publish(&left, &channel, 2).await
        };
        let (resumed, _) = tokio::join!(browser.subscribe_with(request), publishing);
        assert_eq!(resumed["recovered"], true, "round {round}");
        assert_eq!(next(&mut browser).await, (channel.clone(), 2), "the subscriber in round {round}");
        assert_eq!(next(&mut above).await, (channel.clone(), 2), "the wildcard in round {round}");
    }
    above.expect_nothing().await;
    browser.expect_nothing().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_message_of_a_channel_reaches_a_wildcard_while_the_channel_is_joined() {
    let redis = Redis::start();
    let ([left, right], _proxy) = pair_with_a_slow_one(&redis).await;
    let mut above = right.open_browser().await;
    above.subscribe("view:it:*").await;
    let mut browser = right.open_browser().await;
    for round in 0..48_u64 {
        let channel = format!("view:it:new:c{round}");
        let publishing = async {
            sleep(Duration::from_micros(round * 500)).await;
            publish(&left, &channel, 1).await
        };
        let (subscribed, _) = tokio::join!(browser.subscribe(&channel), publishing);
        assert_eq!(next(&mut above).await, (channel.clone(), 1), "the wildcard in round {round}");
        if subscribed["offset"] == 0 {
            assert_eq!(next(&mut browser).await, (channel.clone(), 1), "the subscriber in round {round}");
        }
        publish(&left, &channel, 2).await;
        assert_eq!(next(&mut browser).await, (channel.clone(), 2), "the subscriber in round {round}");
        assert_eq!(next(&mut above).await, (channel.clone(), 2), "the wildcard in round {round}");
    }
}

#[tokio::test]
async fn a_position_from_the_future_leaves_nobody_deaf() {
    let redis = Redis::start();
    let [left, right] = pair(&redis).await;
    let mut at = publish(&left, NEWS, 1).await;
    let mut holder = right.open_browser().await;
    holder.subscribe(NEWS).await;
    // The second time the instance has the channel already, and a position of its own in it.
    for number in [2, 3] {
        let future = json!({ "epoch": at["epoch"], "offset": number + 1_000 });
        let mut browser = right.open_browser().await;
        let answer = browser.subscribe_with(json!({ "channel": NEWS, "since": future })).await;
        assert_eq!((&answer["recovered"], &answer["offset"]), (&json!(false), &at["offset"]), "{answer}");
        let mut above = right.open_browser().await;
        let request = json!({ "channel": "view:it:*", "positions": { NEWS: future } });
        assert_eq!(above.subscribe_with(request).await["recovered"], false);
        let id = format!("{}:{}", at["epoch"].as_str().unwrap(), number + 1_000);
        let mut events = Events::hear(right.address, &format!("channel={NEWS}"), &[("Last-Event-ID", &id)]).await;
        assert_eq!(events.subscribed().await["recovered"], false);
        at = publish(&left, NEWS, number).await;
        assert_eq!(next(&mut browser).await.1, number);
        assert_eq!(next(&mut above).await.1, number);
        assert_eq!(events.next_data().await["number"], number);
    }
}
