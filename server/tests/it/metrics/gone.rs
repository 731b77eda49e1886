//! Instances that stop, and instances that are killed.

use std::time::Duration;

use serde_json::json;

use super::{cluster, config};
use crate::kit::{instance::Running, program::Program, redis::Redis, until, until_within, visitor::Visitor};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_instance_is_gone_within_thirty_seconds_and_a_terminated_one_at_once() {
    let redis = Redis::start();
    let port = redis.port.to_string();
    let start = |instance: &'static str| {
        let (host, port) = (("HOSTNAME", "web-07"), ("REDIS_PORT", port.as_str()));
        async move { Program::start(&[host, ("REDIS_HOST", "127.0.0.1"), port, ("JPULSE_INSTANCE", instance)]).await }
    };
    let watching = Running::start(config(redis.config(), "web-01", "0"));
    let (watching, killed, terminated) = tokio::join!(watching, start("0"), start("1"));
    let admin = Visitor::log_in_as_admin(&watching).await;
    let count = async || cluster(&admin, &watching).await["statistics"]["totalInstances"].as_u64().unwrap();
    until("all three are seen", async || count().await == 3).await;
    let is_reported = |id: &str| redis.command(&format!("EXISTS jpulse:dev:health:instance:{id}")) == ":1\r\n";
    assert!(is_reported("07:0") && is_reported("07:1"));
    terminated.stop().await;
    assert!(!is_reported("07:1"));
    assert_eq!(count().await, 2);
    // The end of the value kills the process.
    drop(killed);
    assert_eq!(count().await, 2, "nobody could know yet");
    let took = until_within(Duration::from_secs(31), "it is gone", async || count().await == 1).await;
    eprintln!("a killed instance was gone after {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_instance_sees_itself_and_with_it_all_again() {
    let mut redis = Redis::start();
    let start = |instance| Running::start(config(redis.config(), "web-01", instance));
    let (left, right) = tokio::join!(start("0"), start("1"));
    let admin = Visitor::log_in_as_admin(&left).await;
    let count =
        async |instance: &Running| cluster(&admin, instance).await["statistics"]["totalInstances"].as_u64().unwrap();
    until("both are seen", async || count(&left).await == 2).await;
    redis.kill();
    until("only itself", async || count(&left).await == 1).await;
    let all = cluster(&admin, &left).await;
    assert_eq!((&all["status"], &all["statistics"]["erroredProcesses"]), (&json!("degraded"), &json!(1)));
    redis.run();
    until("both again", async || count(&left).await == 2 && count(&right).await == 2).await;
}
