//! A Redis of a measurement's own.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    error::LoadError,
    instance::{READY_WITHIN, free_port},
    process::Process,
};

/// Keeps nothing on disk; ends with this value.
pub struct Redis {
    /// Its processor time is counted apart.
    pub process: Process,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    folder: TempDir,
}

impl Redis {
    /// Starts one and waits until it answers.
    pub async fn start() -> Result<Self, LoadError> {
        let (folder, port) = (TempDir::with_prefix("jpulse-bench-")?, free_port()?);
        let process = run(folder.path(), port)?;
        let mut redis = Self { process, port, folder };
        redis.wait().await?;
        Ok(redis)
    }

    /// Kills it; what it knew is gone.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again where it was.
    pub async fn start_again(&mut self) -> Result<(), LoadError> {
        self.process = run(self.folder.path(), self.port)?;
        self.wait().await
    }

    /// Commands it has carried out so far.
    pub async fn commands(&self) -> Result<u64, LoadError> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_all(b"INFO stats\r\nQUIT\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let count = answer.lines().find_map(|line| line.strip_prefix("total_commands_processed:")?.trim().parse().ok());
        count.ok_or_else(|| LoadError::unexpected("Redis's counters", answer.as_bytes()))
    }

    async fn wait(&mut self) -> Result<(), LoadError> {
        let redis = self;
        let answering = async {
            while !redis.process.has_ended() {
                if redis.answers().await.unwrap_or(false) {
                    return true;
                }
                sleep(Duration::from_millis(20)).await;
            }
            false
        };
        match timeout(READY_WITHIN, answering).await {
            Ok(true) => Ok(()),
            _ => Err(LoadError::NotReady("redis-server".into())),
        }
    }

    async fn answers(&self) -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        Ok(&answer == b"+PONG")
    }
}

fn run(folder: &Path, port: u16) -> Result<Process, LoadError> {
    let child = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|source| LoadError::Start { program: "redis-server".into(), source })?;
    Ok(Process::new(child))
}
