//! What all instances measure, asked of any of them.

mod blame;
mod gone;
mod many;
mod seen;
mod site;

use reqwest::Method;
use serde_json::Value;
use server::config::{Config, RedisConfig};

use super::{
    kit::{instance::Running, visitor::Visitor},
    sessions,
};

/// An instance on this host, reporting every second.
pub fn config(redis: RedisConfig, host: &str, instance: &str) -> Config {
    let mut config = sessions::config(redis, instance);
    host.clone_into(&mut config.site.hostname);
    config.metrics.report_seconds = 1;
    config
}

/// What an administrator is answered.
pub async fn ask(admin: &Visitor, instance: &Running, path: &str) -> Value {
    let response = admin.request(instance, Method::GET, path, None).await;
    assert_eq!(response.status(), 200, "{path}");
    response.json().await.unwrap()
}

/// The cluster as this instance sees it.
pub async fn cluster(admin: &Visitor, instance: &Running) -> Value {
    ask(admin, instance, "/api/1/metrics").await["data"].take()
}
