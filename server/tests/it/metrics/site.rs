//! What is measured once for all instances, and what every instance counts without being asked.

use std::time::Duration;

use reqwest::Method;

use super::{cluster, config};
use crate::{
    kit::{instance::Running, program::Program, redis::Redis, until, until_within, visitor::Visitor},
    sessions::pair,
};

/// A few reports of a second each, and the turn of the instance that counts sessions.
const COUNTED_WITHIN: Duration = Duration::from_secs(20);

async fn prometheus(instance: &Running, name: &str) -> Option<u64> {
    let text = reqwest::get(instance.url("/metrics")).await.unwrap().text().await.unwrap();
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_the_memory_of_redis_are_the_same_on_every_instance() {
    let redis = Redis::start_with(&["--maxmemory", "100mb"]);
    let start = |instance| Running::start(config(redis.config(), "web-01", instance));
    let (left, right) = tokio::join!(start("0"), start("1"));
    let mut signed_in = Vec::new();
    for _ in 0..3 {
        signed_in.push(Visitor::log_in_as_admin(&left).await);
    }
    for instance in [&left, &right] {
        until_within(COUNTED_WITHIN, "all sessions are counted", async || {
            prometheus(instance, "jpulse_sessions_active").await == Some(3)
        })
        .await;
        assert_eq!(prometheus(instance, "jpulse_redis_memory_limit_bytes").await, Some(100 * 1024 * 1024));
        assert!(prometheus(instance, "jpulse_redis_memory_bytes").await > Some(100_000));
    }
    let statistics = cluster(&signed_in[0], &right).await["statistics"].take();
    assert_eq!((&statistics["activeSessions"], &statistics["redisMemory"]["limit"]), (&3.into(), &100.into()));
    assert!(statistics["averageCpu"].is_number() && statistics["averageLoad"].is_number(), "{statistics}");
    assert_eq!(signed_in[2].post(&left, "/api/1/auth/logout").await, 200);
    for instance in [&left, &right] {
        until_within(COUNTED_WITHIN, "the one that is over is not counted", async || {
            prometheus(instance, "jpulse_sessions_active").await == Some(2)
        })
        .await;
    }
    // What was counted has an end, as every key.
    assert_ne!(redis.command("PTTL jpulse:dev:sessions:active"), ":-1\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sessions_of_an_instance_without_redis_are_counted_in_its_memory() {
    let instance = Running::start(config(server::config::RedisConfig::default(), "web-01", "0")).await;
    let _visitors = (Visitor::log_in_as_admin(&instance).await, Visitor::log_in_as_admin(&instance).await);
    until("both are counted", async || prometheus(&instance, "jpulse_sessions_active").await == Some(2)).await;
    assert_eq!(prometheus(&instance, "jpulse_redis_memory_bytes").await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stock_instance_writes_the_counters_of_the_contract_and_takes_them_along() {
    let redis = Redis::start();
    let instance = Running::start(config(redis.config(), "web-01", "0")).await;
    let admin = Visitor::log_in_as_admin(&instance).await;
    let (_socket, _) = admin.open_socket(&instance).await;
    let id = instance.id.clone();
    let counted = |name: &str| redis.command(&format!("GET jpulse:dev:metric:{name}:{id}"));
    let number = |answer: String| answer.lines().nth(1).and_then(|line| line.parse::<u64>().ok());
    until("requests and users are counted", async || {
        number(counted("api_requests")) >= Some(1) && number(counted("active_users")) == Some(1)
    })
    .await;
    assert_eq!(number(counted("errors")), Some(0));
    for name in ["api_requests", "errors", "active_users"] {
        assert!(instance.metrics.increment(name).is_err(), "{name} belongs to the instance");
    }
    instance.stop().await;
    assert_eq!(redis.command("KEYS jpulse:dev:metric:*"), "*0\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_cluster_shows_its_totals() {
    let redis = Redis::start();
    let (left, _right) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    until("both are in the totals", async || {
        let view = admin.request(&left, Method::GET, "/fn/cluster", None).await;
        view.json::<serde_json::Value>().await.unwrap()["totals"]["running"] == 2
    })
    .await;
    let page = admin.request(&left, Method::GET, "/admin/cluster", None).await.text().await.unwrap();
    for word in ["The whole cluster", "Running instances", "Average processor", "Average load", "Memory of Redis"] {
        assert!(page.contains(word), "{word} in {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_publish_is_a_line_of_the_log_for_whoever_wants_it() {
    let redis = Redis::start();
    let port = redis.port.to_string();
    let program = Program::start(&[
        ("REDIS_HOST", "127.0.0.1"),
        ("REDIS_PORT", &port),
        ("JPULSE__LOG__FILTER", "info,server::bus::redis=debug"),
    ])
    .await;
    let status = program.url("/api/1/app-cluster/broadcast/status");
    until("redis is reached", async || {
        let answer = reqwest::get(&status).await.unwrap().json::<serde_json::Value>().await.unwrap();
        answer["data"]["redisAvailable"] == true
    })
    .await;
    let body = serde_json::json!({ "data": { "text": "a secret of the message" } });
    let publish = program.url("/api/1/app-cluster/broadcast/view:log:line:wanted");
    let answer = reqwest::Client::new().post(publish).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let log = program.stop().await;
    assert!(log.contains("Published to Redis channel: jpulse:dev:bc:view:log:line:wanted"), "{log}");
    assert!(!log.contains("a secret of the message"), "{log}");
}
