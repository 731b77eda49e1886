//! What an instance reads when nobody could tell it, or what it was told is old.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{config, name, pair, put, settle, value};
use crate::kit::{
    instance::Running,
    mongod::{Mongod, fresh_database},
    proxy::{Proxy, Rule},
    redis::Redis,
    until, until_within,
};

/// What is in Redis of a key, written behind everybody's back.
fn write_behind(redis: &Redis, key: &str, number: u64, updated_at: u64) {
    redis.command(&format!("SET jpulse:dev:config:config:{key} {number}"));
    redis.command(&format!("SET jpulse:dev:config:config:{key}:updated {updated_at}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_nobody_heard_of_is_read_when_the_time_in_memory_is_over() {
    let redis = Redis::start();
    let mongod = Mongod::shared();
    let mut config = config(redis.config(), &mongod.uri(&fresh_database()), "0");
    config.config_cache.memory_seconds = 2;
    let instance = Running::start(config).await;
    let mut kept = None;
    // An instance doubts all it knows when it begins to hear of changes, which may be now: not three times.
    for key in ["first", "second", "third"] {
        put(&instance, key, 1).await;
        let since = Instant::now();
        write_behind(&redis, key, 9, 9_999_999_999_999);
        if value(&instance, key).await == 1 {
            kept = Some((key, since));
            break;
        }
    }
    let (key, since) = kept.expect("a value stays in memory while nobody tells otherwise");
    let read = async || value(&instance, key).await == 9;
    until_within(Duration::from_secs(3), "it is read anew", read).await;
    assert!(since.elapsed() > Duration::from_secs(1), "{:?}", since.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_never_goes_back_to_an_older_one() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    put(&left, "limit", 1).await;
    put(&left, "limit", 2).await;
    until("it is read on the other", async || value(&right, "limit").await == 2).await;
    // As by a writer who was overtaken.
    write_behind(&redis, "limit", 1, 1);
    right.config_cache.refresh().await.unwrap();
    let before = right.config_cache.reads().store;
    assert_eq!(value(&right, "limit").await, 2);
    assert!(right.config_cache.reads().store > before, "it asked the store");
}

/// Two instances on one Redis and one MongoDB, the first behind a proxy.
async fn pair_behind_proxy(redis: &Redis) -> (Running, Running, Proxy, Arc<Mongod>) {
    let mongod = Mongod::shared();
    let uri = mongod.uri(&fresh_database());
    let proxy = Proxy::start(([127, 0, 0, 1], redis.port).into()).await.unwrap();
    let mut behind = redis.config();
    behind.single.port = proxy.address().port();
    let (left, right) =
        tokio::join!(Running::start(config(behind, &uri, "0")), Running::start(config(redis.config(), &uri, "1")));
    (left, right, proxy, mongod)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_told_while_the_link_was_lost_is_read_when_it_is_back() {
    let redis = Redis::start();
    let (cut_off, writer, proxy, _mongod) = pair_behind_proxy(&redis).await;
    put(&writer, "limit", 1).await;
    settle(&writer, &cut_off).await;
    assert_eq!(value(&cut_off, "limit").await, 1);
    proxy.set(Rule::refuse());
    proxy.reset();
    until("the link is lost", async || !cut_off.ports.cluster.is_redis_available()).await;
    put(&writer, "limit", 2).await;
    assert_eq!(value(&cut_off, "limit").await, 1, "it cannot know");
    proxy.set(Rule::default());
    until("it found out by itself", async || value(&cut_off, "limit").await == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_cut_off_tells_the_others_what_it_wrote_meanwhile() {
    let redis = Redis::start();
    let (left, right, proxy, _mongod) = pair_behind_proxy(&redis).await;
    put(&left, "limit", 1).await;
    until("it is read on the other", async || value(&right, "limit").await == 1).await;
    proxy.set(Rule::refuse());
    proxy.reset();
    until("the link is lost", async || !left.ports.cluster.is_redis_available()).await;
    put(&left, "limit", 2).await;
    // Redis holds the old value, and the other instance has no reason to doubt it.
    assert_eq!(redis.command("GET jpulse:dev:config:config:limit"), "$1\r\n1\r\n");
    assert_eq!(value(&right, "limit").await, 1);
    proxy.set(Rule::default());
    until("the other reads it", async || value(&right, "limit").await == 2).await;
    assert_eq!(redis.command("GET jpulse:dev:config:config:limit"), "$1\r\n2\r\n");
    let document = right.config_cache.get(&name("limit")).await.unwrap().unwrap();
    assert_eq!((&document.value, document.version), (&json!(2), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_warm_is_in_memory_before_anybody_asks() {
    let redis = Redis::start();
    let mongod = Mongod::shared();
    let uri = mongod.uri(&fresh_database());
    let writer = Running::start(config(redis.config(), &uri, "0")).await;
    put(&writer, "limit", 5).await;
    let mut config = config(redis.config(), &uri, "1");
    config.config_cache.warm_up = vec!["config:limit".to_owned()];
    let reader = Running::start(config).await;
    // Beside title and banner of the site, which every instance reads at its start.
    let read = || reader.config_cache.reads().redis + reader.config_cache.reads().store;
    until("all three were read", async || read() == 3).await;
    let before = reader.config_cache.reads();
    assert_eq!(value(&reader, "limit").await, 5);
    assert_eq!(reader.config_cache.reads().memory, before.memory + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_warms_every_value_whose_key_begins_so_and_no_other() {
    let redis = Redis::start();
    let mongod = Mongod::shared();
    let uri = mongod.uri(&fresh_database());
    let writer = Running::start(config(redis.config(), &uri, "0")).await;
    for key in ["app:one", "app:two", "other"] {
        put(&writer, key, 5).await;
    }
    let mut config = config(redis.config(), &uri, "1");
    config.config_cache.warm_up = vec!["config:app:*".to_owned(), "features:*".to_owned()];
    let reader = Running::start(config).await;
    let read = || reader.config_cache.reads().redis + reader.config_cache.reads().store;
    until("both were read, beside title and banner of the site", async || read() == 4).await;
    let before = reader.config_cache.reads();
    for key in ["app:one", "app:two"] {
        assert_eq!(value(&reader, key).await, 5);
    }
    assert_eq!(reader.config_cache.reads().memory, before.memory + 2);
    assert_eq!(value(&reader, "other").await, 5);
    assert_eq!(read(), 5, "no other was read ahead");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_whose_age_was_evicted_is_read_from_the_store_with_its_version() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    put(&left, "limit", 1).await;
    put(&left, "limit", 2).await;
    until("it is read on the other", async || value(&right, "limit").await == 2).await;
    for part in ["updated", "version"] {
        redis.command(&format!("DEL jpulse:dev:config:config:limit:{part}"));
        right.config_cache.refresh().await.unwrap();
        let found = right.config_cache.get(&name("limit")).await.unwrap().expect("a value");
        assert_eq!((&found.value, found.version), (&json!(2), 2));
    }
}
