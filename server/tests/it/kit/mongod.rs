//! A real MongoDB of a test's own.

use std::{
    env,
    io::{self, BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, LazyLock, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use mongodb::{Client, bson::doc};
use tempfile::TempDir;

/// Where set-up puts it, under the home directory.
const CACHED: &str = ".cache/jpulse/mongodb/bin/mongod";
const CURE: &str = "no mongod found: run `make test`, which installs one, or name one in JPULSE_TEST_MONGOD";
/// What it logs when it is ready.
const READY: &str = "Waiting for connections";

/// A `mongod` on a free port with a directory of its own; killed by its id when dropped.
pub struct Mongod {
    process: Child,
    port: u16,
    _data: TempDir,
}

impl Mongod {
    /// Starts one and waits until it listens.
    ///
    /// # Panics
    ///
    /// When there is no `mongod`, with a line that names the cure.
    pub fn start() -> Self {
        Self::start_on(free_port())
    }

    /// The one that tests running now share, each with a database of its own; ends with the last.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Mongod>> = Mutex::new(Weak::new());
        share(&SHARED, Self::start)
    }

    /// The same with transactions.
    pub fn shared_replica_set() -> Arc<Self> {
        static SHARED: Mutex<Weak<Mongod>> = Mutex::new(Weak::new());
        share(&SHARED, Self::start_replica_set)
    }

    /// Starts a replica set of one, which has transactions, and waits until it takes changes.
    ///
    /// # Panics
    ///
    /// As [`Mongod::start`], and when the set cannot be made.
    pub fn start_replica_set() -> Self {
        let mongod = Self::launch(free_port(), &["--replSet", "rs0"]);
        let member = format!("127.0.0.1:{}", mongod.port);
        let made = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(make_replica_set(member))
        });
        made.join().expect("a thread").expect("a replica set");
        mongod
    }

    /// Starts one on this port and waits until it listens.
    ///
    /// # Panics
    ///
    /// As [`Mongod::start`], and when the port is taken.
    pub fn start_on(port: u16) -> Self {
        Self::launch(port, &[])
    }

    fn launch(port: u16, more: &[&str]) -> Self {
        let data = TempDir::new().expect("a temporary directory");
        let mut process = Command::new(program())
            .args(["--bind_ip", "127.0.0.1", "--port", &port.to_string(), "--quiet", "--nounixsocket"])
            .args(["--wiredTigerCacheSizeGB", "0.25", "--setParameter", "diagnosticDataCollectionEnabled=false"])
            .args(more)
            .arg("--dbpath")
            .arg(data.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect(CURE);
        let mut log = BufReader::new(process.stdout.take().expect("its log"));
        let mut line = String::new();
        while !line.contains(READY) {
            line.clear();
            assert!(log.read_line(&mut line).expect("its log") > 0, "mongod ended at once; {CURE}");
        }
        // It would stop at a full pipe; this ends with it.
        thread::spawn(move || io::copy(&mut log, &mut io::sink()));
        Self { process, port, _data: data }
    }

    /// The address of a database of this name on it.
    pub fn uri(&self, database: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{database}", self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends it a signal: `STOP` makes it hang, `CONT` lets it go on.
    pub fn signal(&self, name: &str) {
        super::signal(&self.process, name);
    }
}

impl Drop for Mongod {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn share(shared: &Mutex<Weak<Mongod>>, start: impl FnOnce() -> Mongod) -> Arc<Mongod> {
    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let started = Arc::new(start());
        *shared = Arc::downgrade(&started);
        started
    })
}

/// A name no other test of this run gives its database.
pub fn fresh_database() -> String {
    static DATABASES: AtomicUsize = AtomicUsize::new(0);
    format!("test-{}", DATABASES.fetch_add(1, Ordering::Relaxed))
}

async fn make_replica_set(member: String) -> Result<(), mongodb::error::Error> {
    let client = Client::with_uri_str(format!("mongodb://{member}/?directConnection=true")).await?;
    let admin = client.database("admin");
    let set = doc! { "_id": "rs0", "members": [{ "_id": 0, "host": member }] };
    admin.run_command(doc! { "replSetInitiate": set }).await?;
    while !matches!(admin.run_command(doc! { "hello": 1 }).await?.get_bool("isWritablePrimary"), Ok(true)) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Ok(())
}

/// A port that nobody listens on now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn program() -> PathBuf {
    static PROGRAM: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        if let Some(named) = env::var_os("JPULSE_TEST_MONGOD") {
            return Some(PathBuf::from(named)).filter(|path| path.is_file());
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let on_path = env::split_paths(&path).map(|directory| directory.join("mongod"));
        let cached = env::home_dir().into_iter().map(|home| home.join(CACHED));
        on_path.chain(cached).find(|candidate| candidate.is_file())
    });
    PROGRAM.clone().expect(CURE)
}
