//! A Redis of a measurement's own.

use std::{
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
    _folder: TempDir,
}

impl Redis {
    /// Starts one and waits until it answers.
    pub async fn start() -> Result<Self, LoadError> {
        let (folder, port) = (TempDir::with_prefix("jpulse-bench-")?, free_port()?);
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|source| LoadError::Start { program: "redis-server".into(), source })?;
        let mut redis = Self { process: Process::new(child), port, _folder: folder };
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
            Ok(true) => Ok(redis),
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
