//! Several instances of this program on one host: started, restarted, exchanged one by one, stopped together.
//!
//! The supervisor opens the ports, and each process gets its listening socket as standard input
//! ([`Listen::Stdin`](crate::config::Listen)). So a port stays open while its process is exchanged, and whoever
//! connects meanwhile waits for the next one. It serves nobody itself: what can fail is in the processes.

mod instances;
mod keeper;
mod memory;
mod plan;
mod probe;
mod process;
mod reload;
pub mod ward;

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use thiserror::Error;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    task::JoinSet,
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, Listen, RedisMode},
    listener::{self, ListenError},
    session::SecretError,
};
pub use instances::Instances;
use keeper::{Event, Keeper, Post};
pub use memory::MemoryLimit;
use plan::Plan;
use reload::Reload;

/// How long the first instance may take before the others are started all the same.
const FIRST_READY_WITHIN: Duration = Duration::from_secs(30);
/// Events of all instances that wait; a keeper that finds no room waits.
const EVENTS: usize = 64;
/// Exit code of a process that cannot work the way it is set up.
const REFUSED: i32 = 2;

/// Why there is nothing to supervise; each is one line.
#[derive(Debug, Error)]
pub enum SupervisorError {
    /// A port is taken.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Each instance needs a port of its own.
    #[error("configuration: server.listen is \"stdin\": allowed with --instances is \"port\"")]
    OneSocket,
    /// The ports would go beyond the last one.
    #[error("configuration: server.port is {0}: allowed with --instances {1} is a port that leaves room for all")]
    Ports(u16, u16),
    /// The instances have no secret in common.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The operating system does not say where this program is, or takes no signals.
    #[error("cannot supervise: {0}")]
    System(#[from] io::Error),
}

/// Several instances that are not started yet; their ports are open.
pub struct Supervisor {
    posts: Vec<Post>,
    plan: Arc<Plan>,
    program: PathBuf,
    signals: Signals,
    max_memory: Option<MemoryLimit>,
}

/// What the operator says.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

enum Wish {
    Stop,
    Reload,
}

impl Supervisor {
    /// Opens a port for each of `count` instances: the configured one and those behind it. A process that grows beyond
    /// `max_memory` is replaced, one at a time.
    ///
    /// # Errors
    ///
    /// When a port is taken, or the instances cannot have a secret in common.
    pub async fn bind(
        config: &Config,
        instances: Instances,
        max_memory: Option<MemoryLimit>,
    ) -> Result<Self, SupervisorError> {
        let count = instances.count();
        // Before the first process: a signal that comes too early would leave it behind.
        let signals = Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        };
        if config.server.listen == Listen::Stdin {
            return Err(SupervisorError::OneSocket);
        }
        // Now: once its file is replaced by a new version, the system says that it is gone.
        let program = std::env::current_exe()?;
        let has_any_port = config.server.port == 0;
        let mut posts = Vec::new();
        for number in 0..count {
            let port = if has_any_port { Some(0) } else { config.server.port.checked_add(number) };
            let port = port.ok_or(SupervisorError::Ports(config.server.port, count))?;
            let listener = listener::bind(SocketAddr::new(config.server.host, port)).await?.into_std()?;
            posts.push(Post { number, address: listener.local_addr()?, listener });
        }
        let plan = Arc::new(Plan::new(config, &program)?);
        warn_of_loners(config, count);
        Ok(Self { posts, plan, program, signals, max_memory })
    }

    /// Keeps the instances running until it is told to stop, and stops all of them at once.
    ///
    /// The exit code is that of a process which cannot work the way it is set up, when the first one says so.
    pub async fn run(self) -> ExitCode {
        let Self { posts, plan, program, mut signals, max_memory } = self;
        let (events, mut happened) = mpsc::channel(EVENTS);
        let stop = CancellationToken::new();
        let others_may_start = CancellationToken::new();
        let has_served = Arc::new(AtomicBool::new(false));
        let mut keepers = JoinSet::new();
        let mut orders = Vec::new();
        for post in posts {
            // The first one tries the configuration, for all of them.
            let gate = if post.number == 0 { None } else { Some(others_may_start.clone()) };
            let (order, ordered) = mpsc::channel(1);
            orders.push(order);
            let keeper = Keeper::new(post, Arc::clone(&plan), events.clone(), stop.clone(), Arc::clone(&has_served));
            keepers.spawn(keeper.with_max_memory(max_memory).run(gate, ordered));
        }
        let reload = Reload::start(orders, plan, program, stop.clone());
        let mut overdue = std::pin::pin!(sleep(FIRST_READY_WITHIN));
        let outcome = loop {
            tokio::select! {
                wish = signals.next() => match wish {
                    Wish::Stop => break ExitCode::SUCCESS,
                    Wish::Reload => reload.wish(),
                },
                Some(event) = happened.recv() => match event {
                    Event::Ready => {
                        has_served.store(true, Ordering::Relaxed);
                        others_may_start.cancel();
                    }
                    Event::TooLarge(number) => reload.replace(number),
                    // It has said why.
                    Event::Refused => break ExitCode::from(2),
                },
                () = &mut overdue, if !others_may_start.is_cancelled() => others_may_start.cancel(),
            }
        };
        tracing::info!("stopping all instances");
        stop.cancel();
        drop(happened);
        while keepers.join_next().await.is_some() {}
        outcome
    }
}

impl Signals {
    async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::Stop,
            _ = self.interrupt.recv() => Wish::Stop,
            _ = self.hang_up.recv() => Wish::Reload,
        }
    }
}

/// Says what instances do not share.
fn warn_of_loners(config: &Config, count: u16) {
    if count < 2 {
        return;
    }
    if config.redis.effective_mode() == RedisMode::None {
        tracing::warn!("redis is not set up: these instances do not hear of each other; set REDIS_HOST");
    }
    if config.mongodb.uri.is_empty() {
        tracing::warn!("MongoDB is not set up: each instance keeps documents of its own; set MONGODB_URI");
    }
}
