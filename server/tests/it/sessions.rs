//! Sessions that every instance knows, that outlive Redis, and that never come back once over.

mod cookies;
mod evicted;
mod hybrid;
mod outage;
mod roles;
mod sockets;

use serde_json::json;
use server::config::{Config, RedisConfig};

use super::kit::{
    instance::Running,
    redis::Redis,
    until_within,
    visitor::{PASSWORD, Visitor},
};

/// Instances that share a secret and a user `admin`.
pub fn config(redis: RedisConfig, instance: &str) -> Config {
    let mut config = Config { redis, ..Config::default() };
    config.site.instance = instance.into();
    config.sessions.secret = "a secret of the tests, long enough".into();
    config.accounts.admin_password = PASSWORD.into();
    config
}

pub async fn pair(redis: &Redis) -> (Running, Running) {
    let start = |instance| Running::start(config(redis.config(), instance));
    tokio::join!(start("0"), start("1"))
}

/// The time in which everything a session had must be over everywhere.
const OVER_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_on_one_instance_is_one_on_the_other_and_so_is_a_sign_out() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let visitor = Visitor::default();
    let (status, body) = visitor.log_in(&left, "admin", PASSWORD).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["success"], true);
    assert_eq!((&body["user"]["username"], &body["user"]["roles"]), (&json!("admin"), &json!(["admin"])));
    assert_eq!(visitor.name(&right).await.as_deref(), Some("admin"));
    assert_eq!(visitor.name(&left).await.as_deref(), Some("admin"));
    let copy = Visitor::with_cookie(&visitor.cookie().unwrap());
    assert_eq!(visitor.post(&right, "/api/1/auth/logout").await, 200);
    assert_eq!(visitor.cookie(), None, "the browser loses it");
    for instance in [&left, &right] {
        let copy = Visitor::with_cookie(&copy.cookie().unwrap());
        assert_eq!(copy.name(instance).await, None);
    }
    assert!(!redis.command("KEYS *").contains("jpulse:dev:sess:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_where_the_contract_has_them_and_expire() {
    let redis = Redis::start();
    let instance = Running::start(config(redis.config(), "0")).await;
    let visitor = Visitor::log_in_as_admin(&instance).await;
    let key = format!("jpulse:dev:sess:{}", visitor.session_id());
    assert_eq!(redis.command(&format!("EXISTS {key}")), ":1\r\n");
    let ttl = |key: &str| redis.command(&format!("TTL {key}")).trim()[1..].parse::<i64>().unwrap();
    assert!((86_390..=86_400).contains(&ttl(&key)), "{}", ttl(&key));
    let sets = redis.command("KEYS jpulse:dev:user:sessions:*");
    let set = sets.lines().find(|line| line.starts_with("jpulse")).unwrap().to_owned();
    assert_eq!(redis.command(&format!("SISMEMBER {set} {}", visitor.session_id())), ":1\r\n");
    assert!((604_700..=604_800).contains(&ttl(&set)), "{}", ttl(&set));
    redis.command(&format!("EXPIRE {key} 1000"));
    assert_eq!(visitor.name(&instance).await.as_deref(), Some("admin"));
    assert!(ttl(&key) > 86_000, "it is rolling");
    let keys = redis.command("KEYS *");
    for key in keys.lines().filter(|line| line.starts_with("jpulse")) {
        assert!(ttl(key) > 0, "{key} never expires");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_ends_every_session_of_the_user_and_no_other() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let (first, second) = (Visitor::log_in_as_admin(&left).await, Visitor::log_in_as_admin(&left).await);
    // Another user: each instance has its accounts in its own file.
    let other = Visitor::log_in_as_admin(&right).await;
    assert_eq!(second.name(&right).await.as_deref(), Some("admin"));
    assert_eq!(first.post(&left, "/api/1/auth/logout-all").await, 200);
    for instance in [&left, &right] {
        for visitor in [&first, &second] {
            assert_eq!(visitor.name(instance).await, None);
        }
    }
    let again = Visitor::log_in_as_admin(&left).await;
    for visitor in [&again, &other] {
        assert_eq!(visitor.name(&left).await.as_deref(), Some("admin"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_not_used_expires_and_one_that_is_used_does_not() {
    let redis = Redis::start();
    let mut config = config(redis.config(), "0");
    config.sessions.ttl_seconds = 2;
    let instance = Running::start(config).await;
    let (used, unused) = (Visitor::log_in_as_admin(&instance).await, Visitor::log_in_as_admin(&instance).await);
    let id = unused.session_id();
    let (mut socket, name) = unused.open_socket(&instance).await;
    assert_eq!(name, "admin");
    let mut ended = Box::pin(socket.expect_session_over());
    let asking = async {
        loop {
            assert_eq!(used.name(&instance).await.as_deref(), Some("admin"));
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
    };
    tokio::select! {
        () = &mut ended => {}
        () = asking => {}
    }
    assert_eq!(unused.name(&instance).await, None);
    until_within(OVER_WITHIN, "its key is gone", async || {
        redis.command(&format!("EXISTS jpulse:dev:sess:{id}")) == ":0\r\n"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_alone_keeps_sessions_in_memory() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    let visitor = Visitor::log_in_as_admin(&instance).await;
    assert_eq!(visitor.name(&instance).await.as_deref(), Some("admin"));
    let copy = Visitor::with_cookie(&visitor.cookie().unwrap());
    visitor.post(&instance, "/api/1/auth/logout").await;
    assert_eq!(copy.name(&instance).await, None);
    let first = Visitor::log_in_as_admin(&instance).await;
    let second = Visitor::log_in_as_admin(&instance).await;
    first.post(&instance, "/api/1/auth/logout-all").await;
    assert_eq!((first.name(&instance).await, second.name(&instance).await), (None, None));
}
