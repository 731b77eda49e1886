//! Processes that were set up with one instance id.

use serde_json::json;
use server::config::{Config, RedisConfig};

use super::{
    config_cache::{config, put, value},
    kit::{
        instance::Running,
        mongod::{Mongod, fresh_database},
        program::Program,
        redis::Redis,
        until,
    },
};

/// Two instances of one id and one database that find no Redis when they start.
async fn before_redis(redis: &Redis) -> ([Running; 2], std::sync::Arc<Mongod>) {
    let mongod = Mongod::shared();
    let uri = mongod.uri(&fresh_database());
    let start = || Running::start(config(redis.config(), &uri, "0"));
    let (one, other) = tokio::join!(start(), start());
    assert_eq!(one.id, other.id, "nobody knows of the other");
    ([one, other], mongod)
}

fn id(instance: &Running) -> String {
    instance.ports.cluster.status().instance_id.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn namesakes_that_start_before_redis_hear_each_others_invalidations() {
    let mut redis = Redis::prepare(super::kit::free_port(), &[]);
    let ([one, other], _mongod) = before_redis(&redis).await;
    put(&one, "limit", 1).await;
    assert_eq!((value(&one, "limit").await, value(&other, "limit").await), (json!(1), json!(1)));
    redis.run();
    let both = [&one, &other];
    until("both are linked", async || both.iter().all(|one| one.ports.cluster.is_redis_available())).await;
    assert_ne!(id(&one), id(&other), "one of them has another id");
    assert!(both.iter().any(|instance| id(instance) == one.id), "one of them has it");
    let named = format!("{}:{}", one.id, std::process::id());
    assert!(both.iter().any(|instance| id(instance) == named), "the other added its process");
    for number in 2..6 {
        let (writer, reader) = if number % 2 == 0 { (&one, &other) } else { (&other, &one) };
        put(writer, "limit", number).await;
        until("the other reads it", async || value(reader, "limit").await == number).await;
    }
    // Each reports under a name of its own.
    for instance in both {
        until("all see both", async || {
            let records = instance.metrics.instances().await;
            both.iter().all(|one| records.iter().any(|record| record.instance_id == id(one)))
        })
        .await;
    }
    one.stop().await;
    let left = format!("jpulse:dev:instance:{}", id(&other));
    assert!(redis.command("KEYS jpulse:dev:instance:*").contains(&left), "the claim of the other stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namesake_that_comes_while_redis_has_lost_the_claim_is_found_out() {
    let mut redis = Redis::start();
    let start = |redis: RedisConfig| Running::start(Config { redis, ..Config::default() });
    let first = start(redis.config()).await;
    let before = id(&first);
    until("it is claimed", async || redis.command("KEYS jpulse:dev:instance:*").contains(&before)).await;
    redis.kill();
    until("it is noticed", async || !first.ports.cluster.is_redis_available()).await;
    redis.run();
    // Another process is quicker.
    let key = format!("jpulse:dev:instance:{before}");
    redis.command(&format!("SET {key} 1@elsewhere#x EX 60"));
    until("it is linked again", async || first.ports.cluster.is_redis_available()).await;
    let holder = redis.command(&format!("GET {key}"));
    if holder.contains("elsewhere") {
        assert_eq!(id(&first), format!("{before}:{}", std::process::id()));
    } else {
        // It was quicker than this test; then it is found out at the next refresh.
        redis.command(&format!("SET {key} 1@elsewhere#x EX 60"));
        until("it is found out", async || id(&first) != before).await;
    }
    assert!(redis.command(&format!("GET {key}")).contains("elsewhere"), "it is not taken back");
    assert!(first.metrics.prometheus(server::metrics::CacheReads::default()).contains(&id(&first)));
}

#[tokio::test]
async fn the_second_of_two_namesakes_says_so_in_its_log() {
    let mut redis = Redis::prepare(super::kit::free_port(), &[]);
    let port = redis.port.to_string();
    let variables = [("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", port.as_str()), ("HOSTNAME", "twin-3")];
    let (one, other) = tokio::join!(Program::start(&variables), Program::start(&variables));
    redis.run();
    let mut ids = std::collections::BTreeSet::new();
    for program in [&one, &other] {
        until("it is linked", async || {
            let answer = reqwest::get(program.url("/health")).await.unwrap();
            let is_up = answer.status() == 200;
            let health: serde_json::Value = answer.json().await.unwrap();
            is_up && ids.insert(health["instance"]["id"].to_string())
        })
        .await;
    }
    assert_eq!(ids.len(), 2, "{ids:?}");
    let log = one.stop().await + &other.stop().await;
    assert_eq!(log.matches("another live instance has this id: set JPULSE_INSTANCE").count(), 1, "{log}");
}
