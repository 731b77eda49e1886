//! What is written is read elsewhere, whatever is lost on the way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{config, name, pair, put, settle, value};
use crate::kit::{
    free_port,
    instance::Running,
    mongod::{Mongod, fresh_database},
    redis::Redis,
    until, until_within,
    visitor::Visitor,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_one_instance_writes_the_other_reads_within_100_milliseconds() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    put(&left, "limit", 1).await;
    assert_eq!(value(&right, "limit").await, 1);
    for number in 2..6 {
        put(&left, "limit", number).await;
        let read = async || value(&right, "limit").await == number;
        until_within(Duration::from_millis(100), "it is read on the other", read).await;
        assert_eq!(value(&left, "limit").await, number);
    }
    assert_eq!(redis.command("GET jpulse:dev:config:config:limit"), "$1\r\n5\r\n");
    let ttl: i64 = redis.command("TTL jpulse:dev:config:config:limit").trim()[1..].parse().unwrap();
    assert!((590..=600).contains(&ttl), "{ttl}");
    left.config_cache.remove(&name("limit")).await.unwrap();
    until("it is gone on the other", async || value(&right, "limit").await.is_null()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_misses_at_once_are_one_read_of_the_store() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    put(&left, "limit", 7).await;
    redis.command("FLUSHALL");
    let before = right.config_cache.reads();
    let found = join_all((0..1_000).map(|_| value(&right, "limit"))).await;
    assert!(found.iter().all(|found| found == 7));
    let after = right.config_cache.reads();
    // Every few seconds the instance reads title and banner for its own sake.
    let loads = (after.store + after.redis) - (before.store + before.redis);
    assert!((1..=3).contains(&loads), "{loads} loads");
    assert!(after.memory - before.memory >= 999);
    let absent = join_all((0..1_000).map(|_| value(&right, "unknown"))).await;
    assert!(absent.iter().all(Value::is_null));
    let last = right.config_cache.reads();
    let loads = (last.store + last.redis) - (after.store + after.redis);
    assert!((1..=3).contains(&loads), "{loads} loads");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_while_redis_is_away_is_read_everywhere_when_it_is_back() {
    let mut redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    put(&left, "limit", 1).await;
    settle(&left, &right).await;
    assert_eq!(value(&right, "limit").await, 1);
    redis.kill();
    until("both have noticed", async || {
        !left.ports.cluster.is_redis_available() && !right.ports.cluster.is_redis_available()
    })
    .await;
    put(&left, "limit", 2).await;
    assert_eq!(value(&left, "limit").await, 2);
    assert_eq!(value(&right, "limit").await, 1, "nobody could tell it");
    redis.run();
    until("it is told", async || value(&right, "limit").await == 2).await;
    assert_eq!(value(&left, "limit").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_known_value_does_while_redis_and_the_store_are_away() {
    let mut redis = Redis::start();
    let mongod = Mongod::start_on(free_port());
    let port = mongod.port();
    let uri = format!("{}?serverSelectionTimeoutMS=200", mongod.uri(&fresh_database()));
    let instance = Running::start(config(redis.config(), &uri, "0")).await;
    put(&instance, "limit", 3).await;
    let (admin, guest) = (Visitor::log_in_as_admin(&instance).await, Visitor::default());
    let title = Some(json!({ "value": "Tea" }));
    assert_eq!(admin.request(&instance, Method::PUT, "/api/1/config/site:title", title).await.status(), 200);
    let health = async || guest.request(&instance, Method::GET, "/health", None).await;
    assert_eq!(health().await.status(), 200);
    redis.kill();
    drop(mongod);
    until("the link is lost", async || !instance.ports.cluster.is_redis_available()).await;
    instance.config_cache.refresh().await.unwrap();
    assert_eq!(value(&instance, "limit").await, 3);
    assert!(instance.config_cache.reads().last_known >= 1);
    assert!(instance.config_cache.get(&name("never-read")).await.is_err());
    let answer = health().await;
    assert_eq!(answer.status(), 503);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!((&answer["redis"]["ok"], &answer["mongodb"]["ok"]), (&json!(false), &json!(false)));
    let page = guest.request(&instance, Method::GET, "/", None).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("Tea"), "the title is the last one known");
    redis.run();
    let _mongod = Mongod::start_on(port);
    until("it is well again by itself", async || health().await.status() == 200).await;
    let written = async || instance.config_cache.put(&name("limit"), json!(4), None).await.is_ok();
    until("it can be written again", written).await;
    assert_eq!(value(&instance, "limit").await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_reaches_every_instance_and_its_handlers() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    put(&left, "limit", 1).await;
    assert_eq!((value(&left, "limit").await, value(&right, "limit").await), (json!(1), json!(1)));
    let counts: Vec<Arc<AtomicUsize>> = [&left, &right]
        .map(|instance| {
            let count = Arc::new(AtomicUsize::new(0));
            let counting = Arc::clone(&count);
            instance.config_cache.on_refresh(move || {
                counting.fetch_add(1, Relaxed);
            });
            count
        })
        .into();
    // Changed behind everybody's back.
    redis.command("SET jpulse:dev:config:config:limit 9");
    redis.command("SET jpulse:dev:config:config:limit:updated 9999999999999");
    let admin = Visitor::log_in_as_admin(&left).await;
    assert_eq!(admin.request(&left, Method::POST, "/api/1/cache/refresh", None).await.status(), 200);
    for instance in [&left, &right] {
        until("it is read anew", async || value(instance, "limit").await == 9).await;
    }
    until("handlers are called", async || counts.iter().all(|count| count.load(Relaxed) >= 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_of_one_key_at_once_agree_everywhere() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    // Many times over: what can go wrong takes two writers who meet in one moment.
    for round in 0..30 {
        let key = format!("limit:{round}");
        let writes = (0..20).map(|number| {
            let cache = if number % 2 == 0 { &left.config_cache } else { &right.config_cache };
            let name = name(&key);
            async move { cache.put(&name, json!(number), None).await.unwrap() }
        });
        let last = join_all(writes).await.into_iter().max_by_key(|document| document.version).unwrap();
        assert_eq!(last.version, 20);
        for instance in [&left, &right] {
            until("the last one wins", async || value(instance, &key).await == last.value).await;
        }
        assert_eq!(redis.command(&format!("GET jpulse:dev:config:config:{key}:version")), "$2\r\n20\r\n");
    }
}
