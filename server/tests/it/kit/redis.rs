//! A real Redis of this test's own.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use server::config::{RedisConfig, SingleConfig};

use super::{SOON, free_port};

/// Ended with the test.
pub struct Redis {
    pub port: u16,
    process: Option<Child>,
    pub folder: tempfile::TempDir,
    options: Vec<String>,
    password: Option<String>,
    is_paused: AtomicBool,
}

impl Redis {
    /// Starts one on a free port and waits until it answers.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with options of the command line.
    pub fn start_with(options: &[&str]) -> Self {
        let mut redis = Self::prepare(free_port(), options);
        redis.run();
        redis
    }

    /// One that is not started yet.
    pub fn prepare(port: u16, options: &[&str]) -> Self {
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let named = options.iter().position(|option| option == "--requirepass");
        let password = named.map(|place| options[place + 1].clone());
        Self {
            port,
            process: None,
            folder: tempfile::tempdir().unwrap(),
            options,
            password,
            is_paused: AtomicBool::new(false),
        }
    }

    /// How an instance reaches it.
    pub fn config(&self) -> RedisConfig {
        let single = SingleConfig { host: "127.0.0.1".into(), port: self.port, ..SingleConfig::default() };
        RedisConfig { single, ..RedisConfig::default() }
    }

    /// Takes no more writes for a moment, and has sent its replicas all it has acknowledged. Replication waits for
    /// nobody: what a replica lacks when it is promoted is lost, and listeners are told of a gap.
    pub fn settle(&self) {
        self.command("CLIENT PAUSE 500 WRITE");
        // Answered in another turn of its loop: replicas are written to at the end of each.
        self.command("PING");
    }

    /// Kills it, as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Stops it from doing anything while its connections stay open, as a hung machine would.
    pub fn pause(&self) {
        self.signal("-STOP");
        self.is_paused.store(true, Ordering::Relaxed);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("-CONT");
        self.is_paused.store(false, Ordering::Relaxed);
    }

    /// Starts it again on the same port, empty but for what it saved.
    #[expect(clippy::disallowed_methods, reason = "a process being started cannot be awaited")]
    pub fn run(&mut self) {
        self.launch();
        let since = Instant::now();
        while self.try_command("PING").is_none_or(|answer| !answer.starts_with("+PONG")) {
            assert!(since.elapsed() < SOON, "redis-server answers");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts it without waiting.
    pub fn launch(&mut self) {
        let port = self.port.to_string();
        let process = Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(&self.options)
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is on PATH: `make test` installs it");
        self.process = Some(process);
    }

    /// Sends one inline command as another program would; the raw answer.
    pub fn command(&self, line: &str) -> String {
        self.try_command(line).expect("redis answers")
    }

    /// Publishes as a Node.js instance does.
    pub fn publish(&self, channel: &str, message: &str) {
        let parts = ["PUBLISH", channel, message];
        let sized: String = parts.map(|part| format!("${}\r\n{part}\r\n", part.len())).concat();
        self.exchange(format!("*{}\r\n{sized}", parts.len()).as_bytes()).unwrap();
    }

    /// The same as [`Redis::command`], or `None` when nobody answers.
    pub fn try_command(&self, line: &str) -> Option<String> {
        self.exchange(format!("{line}\r\n").as_bytes())
    }

    fn exchange(&self, bytes: &[u8]) -> Option<String> {
        if self.is_paused.load(Ordering::Relaxed) {
            return None;
        }
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        if let Some(password) = &self.password {
            stream.write_all(format!("AUTH {password}\r\n").as_bytes()).ok()?;
            stream.read_exact(&mut [0; "+OK\r\n".len()]).ok()?;
        }
        stream.write_all(bytes).ok()?;
        let mut answer = vec![0; 256 * 1024];
        let length = stream.read(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer[..length]).into_owned())
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("it runs");
        assert!(Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
