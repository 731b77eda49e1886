//! A clock that is stepped back: what was written by the later time holds nobody up.

use std::{sync::Arc, time::Duration};

use server::{
    bus::{Buckets, Bus, Link, Quota, RedisBus, Taken},
    config::RedisConfig,
};
use tokio::time::timeout;

use super::{
    kit::{SOON, instance::Running, redis::Redis, until, visitor::Visitor},
    sessions::{config, pair},
};

/// How far the clock is stepped back: what was stored before lies this much further ahead.
const STEP_MICROSECONDS: u64 = 5 * 60 * 1_000_000;

/// Moves every number in a bucket ahead, which is what a step back of the clock amounts to.
fn step_back(redis: &Redis, key: &str) {
    let stored = redis.command(&format!("GET {key}"));
    let stored = stored.lines().nth(1).expect("a bucket that was used").to_owned();
    let moved: Vec<String> =
        stored.split('.').map(|number| (number.parse::<u64>().unwrap() + STEP_MICROSECONDS).to_string()).collect();
    redis.command(&format!("SET {key} {} PX 600000", moved.join(".")));
}

/// A number as an earlier version wrote it, of a clock that was five minutes ahead.
fn plain_ahead(redis: &Redis, key: &str) {
    let time = redis.command("TIME");
    let now: u64 = time.lines().nth(2).unwrap().parse::<u64>().unwrap() * 1_000_000;
    redis.command(&format!("SET {key} {} PX 600000", now + STEP_MICROSECONDS + 20_000_000));
}

async fn bus(config: &RedisConfig) -> Arc<RedisBus> {
    let (bus, mut inbox) = RedisBus::start(config, "it:dev:".into()).unwrap();
    timeout(SOON, bus.link().wait_for(|link| *link == Link::Up)).await.unwrap().unwrap();
    tokio::spawn(async move { while inbox.recv().await.is_some() {} });
    bus
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_from_before_the_clock_was_stepped_back_is_as_full_as_it_was() {
    let redis = Redis::start();
    let bus = bus(&redis.config()).await;
    let quota = Quota::per(Duration::from_mins(20), 10);
    assert_eq!(bus.take("kept", quota, 4).await.unwrap(), Taken::All);
    step_back(&redis, "it:dev:throttle:kept");
    assert_eq!(bus.take("kept", quota, 6).await.unwrap(), Taken::All, "six were left");
    step_back(&redis, "it:dev:throttle:kept");
    let refused = bus.take("kept", quota, 1).await.unwrap();
    assert!(matches!(refused, Taken::Short(wait) if wait <= quota.every), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_and_sign_ins_are_not_refused_when_the_clock_is_stepped_back() {
    let redis = Redis::start();
    let mut config = config(redis.config(), "0");
    // Each change asks the shared bucket.
    config.limits.requests_per_second = 8;
    let instance = Running::start(config).await;
    let buckets = ["address:127.0.0.1", "login-address:127.0.0.1", "login-account:admin"];
    for bucket in buckets {
        plain_ahead(&redis, &format!("jpulse:dev:throttle:{bucket}"));
    }
    let visitor = Visitor::log_in_as_admin(&instance).await;
    for _ in 0..3 {
        assert_eq!(visitor.post(&instance, "/api/1/auth/logout").await, 200);
    }
    // And what was counted right before the step.
    let wrong = Visitor::default();
    assert_eq!(wrong.log_in(&instance, "admin", "not the password").await.0, 401);
    for bucket in buckets {
        step_back(&redis, &format!("jpulse:dev:throttle:{bucket}"));
    }
    Visitor::log_in_as_admin(&instance).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_ends_a_session_that_began_by_a_clock_that_was_ahead() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let (ahead, other) = (Visitor::log_in_as_admin(&left).await, Visitor::log_in_as_admin(&left).await);
    let ahead_by_five_minutes = "local kept = redis.call('GET', KEYS[1]) \
        kept = string.gsub(kept, '\\\"since\\\":(%d+)', function(at) \
        return '\\\"since\\\":' .. string.format('%.0f', at + 300000) end) \
        return redis.call('SET', KEYS[1], kept, 'KEEPTTL')";
    let key = format!("jpulse:dev:sess:{}", ahead.session_id());
    let moved = redis.command(&format!("EVAL \"{ahead_by_five_minutes}\" 1 {key}"));
    assert_eq!(moved, "+OK\r\n");
    let copy = Visitor::with_cookie(&ahead.cookie().unwrap());
    assert_eq!(copy.name(&right).await.as_deref(), Some("admin"));
    assert_eq!(other.post(&right, "/api/1/auth/logout-all").await, 200);
    for instance in [&right, &left] {
        let copy = Visitor::with_cookie(&ahead.cookie().unwrap());
        until("it is over", async || copy.name(instance).await.is_none()).await;
    }
    // Who signs in right after is not signed out by what ended.
    let again = Visitor::log_in_as_admin(&left).await;
    for instance in [&right, &left] {
        assert_eq!(again.name(instance).await.as_deref(), Some("admin"));
    }
}
