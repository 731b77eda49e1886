//! The release binary, as an operator would run it.

use std::{
    env, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::{error::LoadError, process::Process};

/// How long a server may take to get ready.
pub const READY_WITHIN: Duration = Duration::from_secs(20);

/// What cargo built along with this program; `BENCH_SERVER` names another, to compare the two.
const BINARY: &str = env!("CARGO_BIN_EXE_server");

/// Limits that would otherwise be what is measured: all sockets here come from one address.
const LIMITS: [(&str, &str); 4] = [
    ("JPULSE__LIMITS__SOCKET_MESSAGES", "1000000"),
    ("JPULSE__LIMITS__SOCKETS_PER_ADDRESS", "100000"),
    ("JPULSE__LIMITS__REQUESTS_PER_SECOND", "1000000"),
    ("JPULSE__LOG__FILTER", "warn"),
];

/// What an instance must keep of this process's environment.
const KEPT: [&str; 3] = ["PATH", "HOME", "LEPTOS_SITE_ROOT"];

/// One running instance with an embedded store of its own; ends with this value.
pub struct Instance {
    /// The server.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    _folder: TempDir,
}

impl Instance {
    /// Starts one and waits until it is ready and, when it has a Redis, linked.
    pub async fn start(number: usize, redis_port: Option<u16>) -> Result<Self, LoadError> {
        let folder = TempDir::with_prefix("jpulse-bench-")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let binary = env::var("BENCH_SERVER").unwrap_or_else(|_| BINARY.to_owned());
        let mut command = Command::new(&binary);
        command
            .env_clear()
            .envs(KEPT.iter().filter_map(|name| Some((name, env::var_os(name)?))))
            .envs(LIMITS)
            .env("PORT", address.port().to_string())
            .env("JPULSE_DATA_DIR", folder.path().join("data"))
            .env("JPULSE_INSTANCE", number.to_string())
            // Nor a configuration file that lies about.
            .current_dir(folder.path())
            .stdin(Stdio::null());
        if let Some(port) = redis_port {
            command.env("REDIS_HOST", "127.0.0.1").env("REDIS_PORT", port.to_string());
        }
        let child = command.spawn().map_err(|source| LoadError::Start { program: binary.clone(), source })?;
        let mut instance = Self { process: Process::new(child), address, _folder: folder };
        let getting_ready = async {
            while !instance.process.has_ended() {
                if instance.is_ready().await && (redis_port.is_none() || instance.is_linked().await) {
                    return true;
                }
                sleep(Duration::from_millis(20)).await;
            }
            false
        };
        match timeout(READY_WITHIN, getting_ready).await {
            Ok(true) => Ok(instance),
            _ => Err(LoadError::NotReady(binary)),
        }
    }

    /// The address of something on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn is_ready(&self) -> bool {
        let answer = reqwest::get(self.url("/api/1/health/status")).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    async fn is_linked(&self) -> bool {
        let Ok(answer) = reqwest::get(self.url("/api/1/app-cluster/broadcast/status")).await else { return false };
        answer.json::<Value>().await.is_ok_and(|status| {
            // The fields stand at the top or under `data`.
            [&status["redisAvailable"], &status["data"]["redisAvailable"]].contains(&&Value::Bool(true))
        })
    }
}

/// A port nobody listens on now.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
