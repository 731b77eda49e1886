//! Instances that stop, and instances that are killed.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::json;
use tempfile::TempDir;

use super::{cluster, config};
use crate::kit::{free_port, instance::Running, redis::Redis, until, until_within, visitor::Visitor};

/// The program itself, killed at the end.
struct Program {
    process: Child,
    _folder: TempDir,
}

impl Program {
    fn start(redis: &Redis, instance: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_server"))
            .env_clear()
            .current_dir(folder.path())
            .env("LEPTOS_SITE_ROOT", folder.path())
            .env("PORT", free_port().to_string())
            .env("HOSTNAME", "web-07")
            .env("REDIS_HOST", "127.0.0.1")
            .env("REDIS_PORT", redis.port.to_string())
            .env("JPULSE_INSTANCE", instance)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, _folder: folder }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_instance_is_gone_within_thirty_seconds_and_a_stopped_one_at_once() {
    let redis = Redis::start();
    let mut killed = Program::start(&redis, "0");
    let start = |instance| Running::start(config(redis.config(), "web-01", instance));
    let (watching, stopped) = tokio::join!(start("0"), start("1"));
    let admin = Visitor::log_in_as_admin(&watching).await;
    let count = async || cluster(&admin, &watching).await["statistics"]["totalInstances"].as_u64().unwrap();
    until("all three are seen", async || count().await == 3).await;
    let key = format!("jpulse:dev:health:instance:{}", stopped.id);
    assert_eq!(redis.command(&format!("EXISTS {key}")), ":1\r\n");
    stopped.stop().await;
    assert_eq!(redis.command(&format!("EXISTS {key}")), ":0\r\n");
    assert_eq!(count().await, 2);
    killed.kill();
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
