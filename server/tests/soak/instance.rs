//! The real server, as an operator would run it, started and killed at will.

use std::{
    cell::{Cell, RefCell},
    env, fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::{error::SoakError, history::Run, ports, process::Process, redis::READY_WITHIN};

/// What cargo built along with this program; `SOAK_SERVER` names another.
const BINARY: &str = env!("CARGO_BIN_EXE_server");

/// What an instance may take to stop.
const STOPPED_WITHIN: Duration = Duration::from_secs(60);

/// Limits that would otherwise be what is tested: all sockets here come from one address.
const LIMITS: [(&str, &str); 3] = [
    ("JPULSE__LIMITS__SOCKET_MESSAGES", "200"),
    ("JPULSE__LIMITS__SOCKETS_PER_ADDRESS", "100000"),
    ("JPULSE__LIMITS__REQUESTS_PER_SECOND", "100000"),
];

/// One instance with an embedded store of its own.
pub struct Instance {
    number: usize,
    address: SocketAddr,
    redis: SocketAddr,
    folder: PathBuf,
    process: RefCell<Option<Process>>,
    starts: Cell<u32>,
}

impl Instance {
    /// Starts one and waits until it answers and is linked.
    pub async fn start(number: usize, redis: SocketAddr, folder: PathBuf) -> Result<Self, SoakError> {
        fs::create_dir_all(&folder)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()?));
        let (process, starts) = (RefCell::default(), Cell::new(0));
        let instance = Self { number, address, redis, folder, process, starts };
        instance.run()?;
        let linked = timeout(READY_WITHIN, async {
            while !instance.has_ended() && !instance.is_linked().await {
                sleep(Duration::from_millis(50)).await;
            }
            !instance.has_ended()
        });
        if linked.await.unwrap_or(false) {
            Ok(instance)
        } else {
            Err(SoakError::NotReady(format!("instance {number}")))
        }
    }

    /// Starts the program; its log goes to a file in its folder.
    pub fn run(&self) -> Result<(), SoakError> {
        let binary = env::var("SOAK_SERVER").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| BINARY.to_owned());
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log.txt"))?;
        let kept = ["PATH", "HOME"];
        let child = Command::new(&binary)
            .env_clear()
            .envs(kept.iter().filter_map(|name| Some((name, env::var_os(name)?))))
            .envs(LIMITS)
            .env("LEPTOS_SITE_ROOT", self.site())
            .env("PORT", self.address.port().to_string())
            .env("JPULSE_DATA_DIR", self.folder.join("data"))
            .env("JPULSE_INSTANCE", self.number.to_string())
            .env("JPULSE__LOG__FILTER", env::var("SOAK_LOG").unwrap_or_else(|_| "info".to_owned()))
            .env("REDIS_HOST", self.redis.ip().to_string())
            .env("REDIS_PORT", self.redis.port().to_string())
            // Nor a configuration file that lies about.
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|source| SoakError::Start { program: binary.clone(), source })?;
        self.process.replace(Some(Process::new(child)));
        self.starts.set(self.starts.get() + 1);
        Ok(())
    }

    /// The built site, where there is one: without, pages are rendered all the same.
    fn site(&self) -> PathBuf {
        let built = env::var_os("LEPTOS_SITE_ROOT").map(PathBuf::from);
        built.filter(|folder| folder.is_dir()).unwrap_or_else(|| self.folder.clone())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process that runs now, or ran last.
    pub fn current(&self) -> Run {
        Run { instance: self.number, restarts: self.starts.get().saturating_sub(1) }
    }

    /// Kills it, as a crash would.
    pub fn kill(&self) {
        self.process.take();
    }

    /// Asks it to stop, as an operator would, and waits until it has; how long that took.
    ///
    /// # Errors
    ///
    /// When it goes on.
    pub async fn stop(&self) -> Result<Duration, SoakError> {
        let began = Instant::now();
        self.process.borrow_mut().as_mut().map_or(Ok(()), Process::terminate)?;
        while !self.has_ended() {
            if began.elapsed() > STOPPED_WITHIN {
                return Err(SoakError::NotReady(format!("instance {} does not stop; a stopped one", self.number)));
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(began.elapsed())
    }

    /// Whether it runs no more, by whoever's will.
    pub fn has_ended(&self) -> bool {
        self.process.borrow_mut().as_mut().is_none_or(Process::has_ended)
    }

    /// Lets it hang.
    pub fn pause(&self) -> Result<(), SoakError> {
        self.process.borrow_mut().as_mut().map_or(Ok(()), |process| Ok(process.pause()?))
    }

    /// Lets it go on.
    pub fn resume(&self) -> Result<(), SoakError> {
        self.process.borrow_mut().as_mut().map_or(Ok(()), |process| Ok(process.resume()?))
    }

    /// Memory it holds now, in units of 1,024 bytes.
    pub fn resident_kilobytes(&self) -> Option<u64> {
        self.process.borrow().as_ref()?.resident_kilobytes()
    }

    /// The address of something on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Whether its broadcasts reach the others.
    pub async fn is_linked(&self) -> bool {
        let request = reqwest::Client::new()
            .get(self.url("/api/1/app-cluster/broadcast/status"))
            .timeout(Duration::from_secs(2))
            .send();
        let Ok(answer) = request.await else { return false };
        answer.json::<Value>().await.is_ok_and(|status| {
            // The fields stand at the top or under `data`.
            [&status["redisAvailable"], &status["data"]["redisAvailable"]].contains(&&Value::Bool(true))
        })
    }
}
