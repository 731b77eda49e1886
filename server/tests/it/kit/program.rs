//! The real program, in a process of its own.

use std::{
    io::Read,
    net::SocketAddr,
    process::{Child, ChildStderr, Command, Stdio},
};

use super::{SOON, free_port, until};

/// With an embedded store and an empty site; killed with the test.
pub struct Program {
    pub address: SocketAddr,
    process: Child,
    stderr: Option<ChildStderr>,
    _folder: tempfile::TempDir,
}

impl Program {
    /// Starts it with these variables and nothing else of this process's environment.
    pub async fn start(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut process = Command::new(env!("CARGO_BIN_EXE_server"))
            .env_clear()
            .current_dir(folder.path())
            .env("PORT", port.to_string())
            .env("LEPTOS_SITE_ROOT", folder.path())
            .env("JPULSE_DATA_DIR", folder.path().join("data"))
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = process.stderr.take();
        let program = Self { address: SocketAddr::from(([127, 0, 0, 1], port)), process, stderr, _folder: folder };
        let ready = program.url("/api/1/health/status");
        until("it is ready", async || reqwest::get(&ready).await.is_ok_and(|answer| answer.status() == 200)).await;
        program
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Memory the process holds now.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line of the kernel");
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1_024
    }

    /// Stops it gracefully; all it said.
    pub async fn stop(mut self) -> String {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut stderr = self.stderr.take().unwrap();
        let reading = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        tokio::time::timeout(SOON, reading).await.expect("it stops").unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has stopped cannot be killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
