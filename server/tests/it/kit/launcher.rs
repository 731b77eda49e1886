//! The real program with `--instances`.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{SOON, until_within};

/// Several instances on free ports; killed with the test.
pub struct Launcher {
    process: Child,
    lines: Arc<Mutex<Vec<String>>>,
    pub folder: tempfile::TempDir,
}

/// One process of an instance, as the supervisor tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    pub instance: u64,
    pub pid: u64,
    pub address: SocketAddr,
}

impl Launcher {
    /// Starts this program with these variables, nothing else of this process's environment, and an empty site.
    pub fn start(program: &Path, count: usize, variables: &[(&str, &str)]) -> Self {
        Self::start_with(program, &["--instances", &count.to_string()], variables)
    }

    /// The same with these arguments.
    pub fn start_with(program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(program)
            .args(arguments)
            .env_clear()
            .current_dir(folder.path())
            .env("PORT", "0")
            .env("LEPTOS_SITE_ROOT", folder.path())
            .env("JPULSE_DATA_DIR", folder.path().join("data"))
            .env("JPULSE__LOG__FORMAT", "json")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let (kept, stderr) = (Arc::clone(&lines), process.stderr.take().unwrap());
        // Ends with the last process that writes there.
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                kept.lock().unwrap().push(line);
            }
        });
        Self { process, lines, folder }
    }

    /// The same, once every instance is ready.
    pub async fn start_ready(count: usize, variables: &[(&str, &str)]) -> Self {
        let launcher = Self::start(Path::new(env!("CARGO_BIN_EXE_server")), count, variables);
        launcher.is_ready(count).await;
        launcher
    }

    /// Waits until so many processes were ready since the start.
    pub async fn is_ready(&self, count: usize) -> Vec<Served> {
        until_within(SOON * 3, "instances are ready", async || self.served().len() >= count).await;
        self.served()
    }

    /// All processes that were ever ready, in that order.
    pub fn served(&self) -> Vec<Served> {
        let lines = self.said("an instance is ready").into_iter();
        let served = lines.filter_map(|line| {
            let fields = &line["fields"];
            let address = fields["message"].as_str()?.split_once("http://")?.1.parse().ok()?;
            Some(Served { instance: fields["instance"].as_u64()?, pid: fields["pid"].as_u64()?, address })
        });
        served.collect()
    }

    /// The supervisor's own lines that hold these words.
    pub fn said(&self, words: &str) -> Vec<Value> {
        let lines = self.lines();
        let parsed =
            lines.iter().filter(|line| line.contains(words)).filter_map(|line| serde_json::from_str(line).ok());
        parsed.filter(|line: &Value| line["source"] == "supervisor").collect()
    }

    /// Waits until the supervisor has said this.
    pub async fn says(&self, words: &str) {
        until_within(SOON * 6, words, async || !self.said(words).is_empty()).await;
    }

    /// Everything on its standard error.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        until_within(SOON, "it ends", async || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        // One that has ended cannot be killed; its instances follow it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
