//! Redis killed and started again under visitors: nobody notices, and what ended stays so.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;

use super::{Visitor, pair};
use crate::kit::{redis::Redis, until};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_signed_out_by_a_redis_that_is_killed_and_comes_back_empty() {
    let mut redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let (left, right) = (Arc::new(left), Arc::new(right));
    let visitors = join_all((0..50).map(|number| {
        let instance = Arc::clone(if number % 2 == 0 { &left } else { &right });
        async move { (Visitor::log_in_as_admin(&instance).await, instance) }
    }))
    .await;
    let is_over = Arc::new(AtomicBool::new(false));
    let asking = visitors.iter().map(|(visitor, instance)| {
        let (visitor, instance, is_over) = (visitor.clone(), Arc::clone(instance), Arc::clone(&is_over));
        tokio::spawn(async move {
            let mut count = 0;
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(visitor.name(&instance).await.as_deref(), Some("admin"));
                count += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            count
        })
    });
    let asking: Vec<_> = asking.collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    redis.kill();
    until("the loss is noticed", async || !left.ports.cluster.is_redis_available()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    redis.run();
    let is_back = async || left.ports.cluster.is_redis_available() && right.ports.cluster.is_redis_available();
    until("redis is back", is_back).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    is_over.store(true, Ordering::Relaxed);
    for asked in join_all(asking).await {
        assert!(asked.unwrap() >= 3);
    }
    // On the other instance, which may never have seen them.
    for (visitor, own) in &visitors {
        let other = if Arc::ptr_eq(own, &left) { &right } else { &left };
        assert_eq!(visitor.name(other).await.as_deref(), Some("admin"));
    }
    let count = redis.command("EVAL \"return #redis.call('keys','jpulse:dev:sess:*')\" 0");
    assert_eq!(count, ":50\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_while_redis_was_away_never_comes_back() {
    let mut redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let ended = Visitor::log_in_as_admin(&left).await;
    let ended_before = Visitor::log_in_as_admin(&left).await;
    // Both remember them.
    for visitor in [&ended, &ended_before] {
        assert_eq!(visitor.name(&right).await.as_deref(), Some("admin"));
    }
    let copies = [&ended, &ended_before].map(|visitor| visitor.cookie().unwrap());
    assert_eq!(ended_before.post(&left, "/api/1/auth/logout").await, 200);
    redis.kill();
    until("the loss is noticed", async || {
        !left.ports.cluster.is_redis_available() && !right.ports.cluster.is_redis_available()
    })
    .await;
    assert_eq!(ended.post(&left, "/api/1/auth/logout").await, 200);
    let made = Visitor::log_in_as_admin(&left).await;
    assert_eq!(made.name(&left).await.as_deref(), Some("admin"));
    // The other instance cannot know it, but takes nothing away either.
    assert_eq!(made.name(&right).await, None);
    assert!(made.cookie().is_some());
    redis.run();
    until("redis is back", async || {
        left.ports.cluster.is_redis_available() && right.ports.cluster.is_redis_available()
    })
    .await;
    until("what was made in memory is known everywhere", async || made.name(&right).await.is_some()).await;
    until("what ended is over everywhere", async || Visitor::with_cookie(&copies[0]).name(&right).await.is_none())
        .await;
    for _ in 0..20 {
        for copy in &copies {
            for instance in [&left, &right] {
                assert_eq!(Visitor::with_cookie(copy).name(instance).await, None);
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_copy_of_the_data_brings_nothing_back_that_ended_since() {
    let mut redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let visitor = Visitor::log_in_as_admin(&left).await;
    redis.command("SAVE");
    let later = Visitor::log_in_as_admin(&left).await;
    let copy = visitor.cookie().unwrap();
    assert_eq!(visitor.post(&left, "/api/1/auth/logout").await, 200);
    // It comes back as it was when it saved.
    redis.kill();
    redis.run();
    until("redis is back", async || {
        left.ports.cluster.is_redis_available() && right.ports.cluster.is_redis_available()
    })
    .await;
    until("what ended since is over", async || Visitor::with_cookie(&copy).name(&right).await.is_none()).await;
    assert_eq!(Visitor::with_cookie(&copy).name(&left).await, None);
    assert_eq!(later.name(&right).await.as_deref(), Some("admin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_are_lost_under_a_living_link_are_put_back() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let visitor = Visitor::log_in_as_admin(&left).await;
    redis.command("FLUSHALL");
    assert_eq!(visitor.name(&right).await.as_deref(), Some("admin"));
    assert_eq!(visitor.name(&left).await.as_deref(), Some("admin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_fails_no_request() {
    let redis = Redis::start();
    let (left, _right) = pair(&redis).await;
    let visitor = Visitor::log_in_as_admin(&left).await;
    redis.pause();
    for _ in 0..5 {
        assert_eq!(visitor.name(&left).await.as_deref(), Some("admin"));
    }
    redis.resume();
    assert_eq!(visitor.name(&left).await.as_deref(), Some("admin"));
}
