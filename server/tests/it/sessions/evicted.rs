//! A Redis that evicts keys to make room: a key that is missing ends nothing.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::time::{sleep, timeout};

use super::{OVER_WITHIN, Running, Visitor, config, pair};
use crate::kit::{redis::Redis, until};

/// Longer than an instance that just started doubts what Redis lacks.
const PAST_THE_START: Duration = Duration::from_secs(6);

fn key(visitor: &Visitor) -> String {
    format!("jpulse:dev:sess:{}", visitor.session_id())
}

fn exists(redis: &Redis, key: &str) -> bool {
    redis.command(&format!("EXISTS {key}")) == ":1\r\n"
}

/// Removes every key that begins so, as an eviction does.
fn evict(redis: &Redis, start: &str) {
    let keys = redis.command(&format!("KEYS jpulse:dev:{start}*"));
    for key in keys.lines().filter(|line| line.starts_with("jpulse")) {
        redis.command(&format!("DEL {key}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_whose_session_is_evicted_again_and_again_stays_signed_in() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let visitor = Visitor::log_in_as_admin(&left).await;
    let since = Instant::now();
    while since.elapsed() < PAST_THE_START {
        for instance in [&right, &left] {
            evict(&redis, "sess:");
            assert_eq!(visitor.name(instance).await.as_deref(), Some("admin"), "after {:?}", since.elapsed());
            assert!(visitor.cookie().is_some(), "the browser keeps its cookie");
        }
        sleep(Duration::from_millis(200)).await;
    }
    assert!(exists(&redis, &key(&visitor)), "it is put back");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_never_saw_an_evicted_session_asks_the_others() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let visitors = join_all((0..5).map(|_| Visitor::log_in_as_admin(&left))).await;
    sleep(PAST_THE_START).await;
    evict(&redis, "sess:");
    evict(&redis, "user:sessions:");
    for visitor in visitors {
        assert_eq!(visitor.name(&right).await.as_deref(), Some("admin"));
        assert!(exists(&redis, &key(&visitor)), "it is put back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_socket_outlives_the_eviction_of_its_session() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let visitor = Visitor::log_in_as_admin(&left).await;
    let (mut here, _) = visitor.open_socket(&left).await;
    let (mut there, _) = visitor.open_socket(&right).await;
    let key = key(&visitor);
    sleep(PAST_THE_START).await;
    for _ in 0..3 {
        redis.command(&format!("DEL {key}"));
        until("it is put back without a request", async || exists(&redis, &key)).await;
    }
    for socket in [&mut here, &mut there] {
        let seen = timeout(Duration::from_millis(100), socket.next()).await;
        assert!(seen.is_err(), "{seen:?}");
    }
    assert_eq!(visitor.post(&left, "/api/1/auth/logout").await, 200);
    timeout(OVER_WITHIN, here.expect_session_over()).await.expect("here");
    timeout(OVER_WITHIN, there.expect_session_over()).await.expect("there");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sessions_of_open_sockets_are_not_those_unused_for_longest() {
    let redis = Redis::start();
    let left = Running::start(config(redis.config(), "0")).await;
    let visitor = Visitor::log_in_as_admin(&left).await;
    let _socket = visitor.open_socket(&left).await;
    let idle = || {
        let answer = redis.command(&format!("OBJECT IDLETIME {}", key(&visitor)));
        answer.trim().trim_start_matches(':').parse::<u64>().unwrap()
    };
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(8) {
        assert!(idle() <= 5, "idle for {} s", idle());
        sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_stays_so_when_the_marks_of_its_end_are_evicted() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let (one, other) = (Visitor::log_in_as_admin(&left).await, Visitor::log_in_as_admin(&left).await);
    for visitor in [&one, &other] {
        assert_eq!(visitor.name(&right).await.as_deref(), Some("admin"));
    }
    sleep(PAST_THE_START).await;
    let copies = [&one, &other].map(|visitor| visitor.cookie().unwrap());
    // Nothing in Redis says which sessions the user has.
    evict(&redis, "user:sessions:");
    assert_eq!(one.post(&left, "/api/1/auth/logout-all").await, 200);
    for _ in 0..3 {
        evict(&redis, "sessions:");
        for copy in &copies {
            for instance in [&left, &right] {
                assert_eq!(Visitor::with_cookie(copy).name(instance).await, None);
            }
        }
    }
    until("the end is marked again", async || {
        redis.command("KEYS jpulse:dev:sessions:ended*").contains("sessions:ended")
    })
    .await;
    let late = Running::start(config(redis.config(), "2")).await;
    for copy in &copies {
        assert_eq!(Visitor::with_cookie(copy).name(&late).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_signed_out_by_a_redis_that_is_full_and_evicts_what_was_unused_for_longest() {
    const FILLING: Duration = Duration::from_secs(12);
    let redis = Redis::start_with(&["--maxmemory", "6mb", "--maxmemory-policy", "allkeys-lru"]);
    let (left, right) = pair(&redis).await;
    let visitors = join_all((0..20).map(|number| {
        let instance = [&left, &right][number % 2];
        async move {
            let visitor = Visitor::log_in_as_admin(instance).await;
            // Half of them have nothing but a cookie.
            let socket = if number < 10 { Some(visitor.open_socket(instance).await.0) } else { None };
            (visitor, socket)
        }
    }))
    .await;
    let since = Instant::now();
    let mut round = 0;
    while since.elapsed() < FILLING {
        round += 1;
        let fill = format!(
            "EVAL \"for i=1,2000 do redis.call('set','junk:{round}:'..i,string.rep('x',1000)) end return 1\" 0"
        );
        redis.command(&fill);
        sleep(Duration::from_millis(50)).await;
    }
    let kept = redis.command("EVAL \"return #redis.call('keys','jpulse:dev:sess:*')\" 0");
    assert!(kept.trim_start_matches(':').trim().parse::<usize>().unwrap() < 20, "nothing was evicted: {kept}");
    for (visitor, socket) in visitors {
        for instance in [&left, &right] {
            assert_eq!(visitor.name(instance).await.as_deref(), Some("admin"));
            assert!(visitor.cookie().is_some());
        }
        if let Some(mut socket) = socket {
            // The state of the link may come and go.
            while let Ok(seen) = timeout(Duration::from_millis(50), socket.next()).await {
                assert!(seen.as_ref().is_ok_and(|frame| frame["data"]["type"] == "cluster"), "{seen:?}");
            }
        }
    }
}
