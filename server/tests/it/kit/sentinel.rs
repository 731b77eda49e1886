//! A real primary with replicas, and three sentinels that watch it, of this test's own.

use std::{
    fmt::Write,
    fs,
    process::{Child, Command, Stdio},
    time::Duration,
};

use server::config::{RedisConfig, RedisMode, RedisNode, SentinelConfig};

use super::{free_port, redis::Redis, until_within};

/// How long the sentinels may take to know each other, or to promote a replica.
pub const SENTINELS_WITHIN: Duration = Duration::from_secs(20);
const SENTINELS: usize = 3;
const MASTER: &str = "it-primary";

/// The passwords of a [`Sentinels`]; empty means none.
#[derive(Clone, Copy, Default)]
pub struct Passwords {
    pub servers: &'static str,
    pub sentinels: &'static str,
}

/// A primary (server 0), its replicas and the sentinels; ended with the test.
pub struct Sentinels {
    pub servers: Vec<Redis>,
    watchers: Vec<Sentinel>,
    passwords: Passwords,
}

/// One sentinel: its own state is kept in its configuration file.
struct Sentinel {
    port: u16,
    process: Option<Child>,
    folder: tempfile::TempDir,
}

impl Sentinels {
    /// Starts a primary with `replicas` replicas and three sentinels; waits until all know each other.
    pub async fn start(replicas: usize) -> Self {
        let mut sentinels = Self::prepare(replicas, Passwords::default());
        sentinels.run().await;
        sentinels
    }

    /// The same, not started yet.
    pub fn prepare(replicas: usize, passwords: Passwords) -> Self {
        let primary = free_port();
        let replicaof = format!("127.0.0.1 {primary}");
        let server = |index: usize| {
            let mut options = vec!["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"];
            if !passwords.servers.is_empty() {
                options.extend(["--requirepass", passwords.servers, "--masterauth", passwords.servers]);
            }
            if index > 0 {
                options.extend(["--replicaof", &replicaof]);
            }
            Redis::prepare(if index == 0 { primary } else { free_port() }, &options)
        };
        let servers = (0..=replicas).map(server).collect();
        let sentinel = |_| Sentinel { port: free_port(), process: None, folder: tempfile::tempdir().unwrap() };
        Self { servers, watchers: (0..SENTINELS).map(sentinel).collect(), passwords }
    }

    /// Starts everything.
    pub async fn run(&mut self) {
        self.servers.iter_mut().for_each(Redis::run);
        let primary = self.servers[0].port;
        for sentinel in &mut self.watchers {
            sentinel.launch(primary, self.passwords);
        }
        let replicas = self.servers.len() - 1;
        until_within(SENTINELS_WITHIN, "the sentinels know each other and the replicas", async || {
            let replication = self.servers[0].command("INFO replication");
            let is_in_step = replication.matches("state=online").count() == replicas;
            is_in_step && self.watchers.iter().all(|sentinel| sentinel.knows(replicas, self.passwords))
        })
        .await;
    }

    /// How an instance reaches the primary.
    pub fn config(&self) -> RedisConfig {
        let known = |sentinel: &Sentinel| RedisNode { host: "127.0.0.1".into(), port: sentinel.port };
        let sentinel = SentinelConfig {
            master: MASTER.into(),
            nodes: self.watchers.iter().map(known).collect(),
            sentinel_password: self.passwords.sentinels.into(),
            ..SentinelConfig::default()
        };
        let password = self.passwords.servers.into();
        RedisConfig { mode: Some(RedisMode::Sentinel), sentinel, password, ..RedisConfig::default() }
    }

    /// Cuts a replica off its primary and keeps it from coming back: it misses what is published from now on.
    pub async fn cut_off(&self, replica: usize) {
        self.servers[replica].command("CONFIG SET masterauth not-the-password");
        self.servers[0].command("CLIENT KILL TYPE replica");
        until_within(SENTINELS_WITHIN, "the replica is cut off", async || {
            self.servers[replica].command("INFO replication").contains("master_link_status:down")
        })
        .await;
    }

    /// Waits until this server is a primary.
    pub async fn wait_until_primary(&self, server: usize) {
        until_within(SENTINELS_WITHIN, "the replica is promoted", async || {
            // While it is promoted, its clients are sent away.
            self.servers[server].try_command("INFO replication").is_some_and(|answer| answer.contains("role:master"))
        })
        .await;
    }
}

impl Sentinel {
    fn launch(&mut self, primary: u16, passwords: Passwords) {
        let file = self.folder.path().join("sentinel.conf");
        let mut text = format!(
            "port {}\nbind 127.0.0.1\nsentinel monitor {MASTER} 127.0.0.1 {primary} 2\n\
             sentinel down-after-milliseconds {MASTER} 1000\nsentinel failover-timeout {MASTER} 3000\n",
            self.port
        );
        if !passwords.servers.is_empty() {
            writeln!(text, "sentinel auth-pass {MASTER} {}", passwords.servers).unwrap();
        }
        if !passwords.sentinels.is_empty() {
            writeln!(text, "requirepass {0}\nsentinel sentinel-pass {0}", passwords.sentinels).unwrap();
        }
        fs::write(&file, text).unwrap();
        let process = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is on PATH: `make test` installs it");
        self.process = Some(process);
    }

    fn knows(&self, replicas: usize, passwords: Passwords) -> bool {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string(), "SENTINEL", "MASTER", MASTER]);
        if !passwords.sentinels.is_empty() {
            command.env("REDISCLI_AUTH", passwords.sentinels);
        }
        let output = command.output().expect("redis-cli is on PATH: `make test` installs it");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let field = |name: &str| text.lines().skip_while(|line| *line != name).nth(1).map(str::to_owned);
        field("num-slaves") == Some(replicas.to_string())
            && field("num-other-sentinels") == Some((SENTINELS - 1).to_string())
            && field("flags").as_deref() == Some("master")
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}
