//! Configuration: what one instance writes, the others read.

mod documents;
mod faults;
mod lost;
mod motto;
mod rest;
mod settings;

use std::sync::Arc;

use serde_json::{Value, json};
use server::{
    config::{Config, RedisConfig},
    store::ConfigName,
};

use super::{
    kit::{
        instance::Running,
        mongod::{Mongod, fresh_database},
        redis::Redis,
        until,
    },
    sessions,
};

pub fn name(key: &str) -> ConfigName {
    ConfigName::parse("config", key).unwrap()
}

/// An instance with this Redis and this database.
pub fn config(redis: RedisConfig, uri: &str, instance: &str) -> Config {
    let mut config = sessions::config(redis, instance);
    uri.clone_into(&mut config.mongodb.uri);
    config.metrics.report_seconds = 1;
    config
}

/// Two instances on one Redis and one MongoDB.
pub async fn pair(redis: &Redis) -> (Running, Running, Arc<Mongod>) {
    let mongod = Mongod::shared();
    let uri = mongod.uri(&fresh_database());
    let start = |instance| Running::start(config(redis.config(), &uri, instance));
    let (left, right) = tokio::join!(start("0"), start("1"));
    (left, right, mongod)
}

/// What the instance has under this key.
pub async fn value(instance: &Running, key: &str) -> Value {
    let found = instance.config_cache.get(&name(key)).await.unwrap();
    found.map_or(Value::Null, |document| document.value.clone())
}

pub async fn put(instance: &Running, key: &str, number: u64) {
    instance.config_cache.put(&name(key), json!(number), None).await.unwrap();
}

/// Waits until the other instance has heard of every change made up to now.
pub async fn settle(writer: &Running, reader: &Running) {
    assert!(value(reader, "marker").await.is_null(), "it knows that there is none");
    put(writer, "marker", 1).await;
    until("the last change is heard of", async || value(reader, "marker").await == 1).await;
}
