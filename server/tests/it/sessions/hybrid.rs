//! MongoDB behind Redis: what Redis forgets is restored.

use std::sync::Arc;

use server::{
    config::{Config, SessionsMode},
    store::{SessionBackup, Store, StoredSession},
};

use super::{Running, Visitor, config};
use crate::kit::{
    mongod::{Mongod, fresh_database},
    redis::Redis,
    until,
};

fn hybrid(redis: &Redis, uri: &str, instance: &str) -> Config {
    let mut config = config(redis.config(), instance);
    config.mongodb.uri = uri.to_owned();
    config.sessions.mode = SessionsMode::Hybrid;
    config
}

async fn backup(uri: &str) -> Arc<dyn SessionBackup> {
    Store::mongo(uri).await.unwrap().sessions().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_restored_when_redis_and_all_instances_forgot_them() {
    let (mut redis, mongod) = (Redis::start(), Mongod::shared());
    let uri = mongod.uri(&fresh_database());
    let backup = backup(&uri).await;
    let instance = Running::start(hybrid(&redis, &uri, "0")).await;
    let (kept, ended) = (Visitor::log_in_as_admin(&instance).await, Visitor::log_in_as_admin(&instance).await);
    until("both have a backup", async || backup.page(None, 9).await.unwrap().len() == 2).await;
    let copy = ended.cookie().unwrap();
    ended.post(&instance, "/api/1/auth/logout").await;
    until("the end is known there", async || backup.page(None, 9).await.unwrap().len() == 1).await;
    instance.stop().await;
    redis.command("FLUSHALL");
    redis.kill();
    redis.run();
    let [left, right] = ["0", "1"].map(|instance| Running::start(hybrid(&redis, &uri, instance)));
    let (left, right) = tokio::join!(left, right);
    for instance in [&right, &left] {
        assert_eq!(kept.name(instance).await.as_deref(), Some("admin"));
        assert_eq!(Visitor::with_cookie(&copy).name(instance).await, None);
    }
    until("it is in redis again", async || {
        redis.command(&format!("EXISTS jpulse:dev:sess:{}", kept.session_id())) == ":1\r\n"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_never_saw_a_session_knows_it_though_redis_is_away() {
    let (mut redis, mongod) = (Redis::start(), Mongod::shared());
    let uri = mongod.uri(&fresh_database());
    let backup = backup(&uri).await;
    let left = Running::start(hybrid(&redis, &uri, "0")).await;
    let right = Running::start(hybrid(&redis, &uri, "1")).await;
    let visitor = Visitor::log_in_as_admin(&left).await;
    until("it has a backup", async || backup.page(None, 9).await.unwrap().len() == 1).await;
    redis.kill();
    until("the loss is noticed", async || !right.ports.cluster.is_redis_available()).await;
    assert_eq!(visitor.name(&right).await.as_deref(), Some("admin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_or_expired_is_not_in_the_backup() {
    let mongod = Mongod::shared();
    let backup = backup(&mongod.uri(&fresh_database())).await;
    let now = server::clock::now_milliseconds();
    let session = |id: &str, since, ends_at| StoredSession {
        id: id.into(),
        json: "{}".into(),
        user_id: "mona".into(),
        since,
        ends_at,
    };
    let later = now + 60_000;
    for kept in [session("a", 1, later), session("b", 2, later), session("c", 3, later), session("d", 4, now - 1)] {
        backup.keep(&kept).await.unwrap();
    }
    assert_eq!(backup.load("a").await.unwrap(), Some(session("a", 1, later)));
    assert_eq!(backup.load("d").await.unwrap(), None, "it expired");
    backup.end("a", later).await.unwrap();
    // News of its end overtook its last use.
    backup.keep(&session("a", 1, later)).await.unwrap();
    assert_eq!(backup.load("a").await.unwrap(), None);
    backup.end_all("mona", 2, later).await.unwrap();
    assert_eq!(backup.page(None, 9).await.unwrap(), [session("c", 3, later)]);
    assert_eq!(backup.page(Some("c"), 9).await.unwrap(), []);
}
