//! The buckets of one instance, and what becomes of them when the shared ones are slow.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;

use super::{
    Buckets, Quota, Scope, Taken, Throttle, bucket,
    local::{Local, Spent},
};
use crate::bus::BusError;

const SECOND: Duration = Duration::from_secs(1);
const THREE_A_MINUTE: Quota = Quota { burst: 3, every: Duration::from_secs(20) };

#[test]
fn a_bucket_is_emptied_at_once_and_grows_back_one_by_one() {
    let now = Instant::now();
    let mut local = Local::new(now);
    let mut spend = |at: Duration| local.spend("a", THREE_A_MINUTE, 1, now + at);
    for _ in 0..3 {
        assert_eq!(spend(Duration::ZERO), Spent::Owed(1));
    }
    assert_eq!(spend(Duration::ZERO), Spent::Nothing(20 * SECOND));
    assert_eq!(spend(5 * SECOND), Spent::Nothing(15 * SECOND));
    assert_eq!(spend(20 * SECOND), Spent::Owed(1));
    assert_eq!(spend(20 * SECOND), Spent::Nothing(20 * SECOND));
    assert_eq!(local.spend("b", THREE_A_MINUTE, 1, now), Spent::Owed(1));
}

#[test]
fn what_is_taken_is_reported_in_parts_and_each_part_once() {
    let now = Instant::now();
    let mut local = Local::new(now);
    let quota = Quota::per_second(100);
    let spent: Vec<_> = (0..6).map(|_| local.spend("a", quota, 3, now)).collect();
    assert_eq!(spent, [Spent::Quietly, Spent::Quietly, Spent::Owed(3)].repeat(2));
    local.owe("a", 3, quota);
    assert_eq!(local.spend("a", quota, 3, now), Spent::Owed(4));
}

#[test]
fn what_the_other_instances_took_counts_here() {
    let now = Instant::now();
    let mut local = Local::new(now);
    local.spend("a", THREE_A_MINUTE, 1, now);
    local.refuse("a", now + 7 * SECOND);
    assert_eq!(local.spend("a", THREE_A_MINUTE, 1, now), Spent::Nothing(7 * SECOND));
    assert_eq!(local.spend("a", THREE_A_MINUTE, 1, now + 7 * SECOND), Spent::Owed(1));
}

#[test]
fn however_many_come_no_more_buckets_are_kept_than_the_bound() {
    let now = Instant::now();
    let mut local = Local::new(now);
    for n in 0..110_000 {
        local.spend(&format!("{n}"), THREE_A_MINUTE, 1, now);
    }
    assert_eq!(local.len(), 100_001);
    // Known ones keep theirs; newcomers share one, which is empty.
    assert_eq!(local.spend("7", THREE_A_MINUTE, 1, now), Spent::Owed(1));
    assert!(matches!(local.spend("new", THREE_A_MINUTE, 1, now), Spent::Nothing(_)));
    // Full again, they are forgotten.
    assert_eq!(local.spend("newer", THREE_A_MINUTE, 1, now + 61 * SECOND), Spent::Owed(1));
    assert!(local.len() < 10);
}

#[test]
fn a_key_is_a_short_word_whatever_it_holds() {
    assert_eq!(bucket(Scope::Address, "2001:db8::/64"), "address:2001:db8::/64");
    assert_eq!(bucket(Scope::LoginAccount, "a b{}\r\n"), "login-account:a%20b%7b%7d%0d%0a");
    assert!(bucket(Scope::User, &"é".repeat(10_000)).len() < 200);
}

/// Shared buckets that answer after a time, always the same.
struct Slow {
    after: Duration,
    taken: Taken,
    asked: AtomicUsize,
    tokens: Mutex<i64>,
}

impl Slow {
    fn new(after: Duration, taken: Taken) -> Arc<Self> {
        Arc::new(Self { after, taken, asked: AtomicUsize::new(0), tokens: Mutex::default() })
    }
}

#[async_trait]
impl Buckets for Slow {
    async fn take(&self, _bucket: &str, _quota: Quota, tokens: i64) -> Result<Taken, BusError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        *self.tokens.lock().unwrap() += tokens;
        tokio::time::sleep(self.after).await;
        Ok(self.taken)
    }
}

#[tokio::test]
async fn slow_shared_buckets_hold_up_one_request_a_second_and_that_one_briefly() {
    let slow = Slow::new(Duration::from_mins(1), Taken::All);
    let throttle = Throttle::new(Some(slow.clone()));
    let quota = Quota::per(60 * SECOND, 10);
    let since = Instant::now();
    for _ in 0..10 {
        assert!(throttle.take(Scope::User, "jane", quota).await.is_ok());
    }
    assert!(throttle.take(Scope::User, "jane", quota).await.is_err(), "its own bucket is empty");
    assert!(since.elapsed() < SECOND / 2, "{:?}", since.elapsed());
    assert_eq!(slow.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_empty_shared_bucket_refuses_and_is_not_asked_again_before_its_time() {
    let empty = Slow::new(Duration::ZERO, Taken::Short(60 * SECOND));
    let throttle = Throttle::new(Some(empty.clone()));
    let quota = Quota::per(60 * SECOND, 10);
    for _ in 0..5 {
        let refused = throttle.take(Scope::User, "jane", quota).await.unwrap_err();
        assert!(refused.wait > 59 * SECOND, "{refused:?}");
    }
    assert_eq!(empty.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_is_given_back_is_given_back_everywhere() {
    let shared = Slow::new(Duration::ZERO, Taken::All);
    let throttle = Throttle::new(Some(shared.clone()));
    let quota = Quota::per(60 * SECOND, 1);
    for _ in 0..10 {
        assert!(throttle.take(Scope::LoginAccount, "jane", quota).await.is_ok());
        throttle.give_back(Scope::LoginAccount, "jane", quota).await;
    }
    assert_eq!(*shared.tokens.lock().unwrap(), 0);
}
