//! The samples of Redis in `deploy/redis` are what redis-server takes and an instance runs on.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use server::config::{RedisConfig, RedisMode, RedisNode, SentinelConfig};

use super::{instance, until_within};
use crate::kit::{SOON, free_port, redis::Redis};

/// A redis-server with a sample as its configuration; killed with the test.
struct Sample {
    port: u16,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Sample {
    fn start(file: &Path, more: &[&str]) -> Self {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let process = Command::new("redis-server")
            .arg(file)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--dir", &folder.path().to_string_lossy()])
            .args(more)
            .current_dir(samples())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { port, process, _folder: folder }
    }

    fn ask(&self, command: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(command).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    async fn answers(&self) {
        until_within(SOON, "it answers", async || self.ask(&["PING"]).contains("PONG")).await;
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        // One that never started cannot be killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn samples() -> PathBuf {
    Path::new("../deploy/redis").canonicalize().unwrap()
}

fn has_advice(sample: &Sample) {
    for (key, value) in [("maxmemory", "2147483648"), ("maxmemory-policy", "noeviction"), ("appendonly", "yes")] {
        let answer = sample.ask(&["CONFIG", "GET", key]);
        assert_eq!(answer.lines().nth(1), Some(value), "{key}: {answer}");
    }
}

#[tokio::test]
async fn the_sample_of_one_redis_starts_and_keeps_what_instances_need() {
    let sample = Sample::start(&samples().join("redis.conf"), &[]);
    sample.answers().await;
    has_advice(&sample);
}

#[tokio::test]
async fn the_sample_of_a_cluster_makes_nodes_with_the_same_settings() {
    let sample = Sample::start(Path::new("cluster.conf"), &[]);
    sample.answers().await;
    has_advice(&sample);
    assert!(sample.ask(&["INFO", "cluster"]).contains("cluster_enabled:1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_finds_its_primary_through_the_sample_of_a_sentinel() {
    let primary = Redis::start();
    let text = fs::read_to_string(samples().join("sentinel.conf")).unwrap();
    // What an operator replaces: where the primary is, and with one sentinel alone, how many must agree.
    let text = text.replace("127.0.0.1 6379 2", &format!("127.0.0.1 {} 1", primary.port));
    let text = text.replace("port 26379\n", "");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sentinel.conf");
    fs::write(&file, text).unwrap();
    let sentinel = Sample::start(&file, &["--sentinel"]);
    sentinel.answers().await;
    until_within(SOON, "it watches the primary", async || {
        sentinel.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "jpulse"]).contains(&primary.port.to_string())
    })
    .await;
    let nodes = vec![RedisNode { host: "127.0.0.1".into(), port: sentinel.port }];
    let watched = SentinelConfig { master: "jpulse".into(), nodes, ..SentinelConfig::default() };
    let config = RedisConfig { mode: Some(RedisMode::Sentinel), sentinel: watched, ..RedisConfig::default() };
    let running = instance(config, "0").await;
    until_within(SOON, "it is linked", async || running.ports.cluster.is_redis_available()).await;
}
