//! One process of an instance, from its start to its end.

use std::{
    fmt, io,
    process::ExitStatus,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// A running process; killed when it is dropped.
pub(super) struct Process {
    child: Child,
    pub(super) started_at: Instant,
}

/// How a process ended, or that it never was.
pub(super) enum Ending {
    Exit(ExitStatus),
    Trouble(io::Error),
}

impl Process {
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        Ok(Self { child: command.spawn()?, started_at: Instant::now() })
    }

    /// Its number; `None` when it has ended.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for its end. Cancel safe.
    pub(super) async fn ended(&mut self) -> Ending {
        self.child.wait().await.into()
    }

    /// Asks it to end, and kills it when it takes longer.
    pub(super) async fn stop(mut self, within: Duration) {
        if let Err(error) = self.terminate() {
            tracing::warn!(%error, "an instance cannot be asked to stop");
        }
        if timeout(within, self.child.wait()).await.is_ok() {
            return;
        }
        tracing::warn!(pid = self.id(), "an instance did not stop within {} s: killing it", within.as_secs());
        if let Err(error) = self.child.kill().await {
            tracing::error!(%error, "an instance cannot be killed");
        }
    }

    fn terminate(&self) -> io::Result<()> {
        // The id is given away no sooner than the end is taken note of here.
        let pid = self.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        pid.map_or(Ok(()), |pid| Ok(kill_process(pid, Signal::TERM)?))
    }
}

impl Ending {
    pub(super) fn code(&self) -> Option<i32> {
        match self {
            Self::Exit(status) => status.code(),
            Self::Trouble(_) => None,
        }
    }
}

impl From<io::Result<ExitStatus>> for Ending {
    fn from(waited: io::Result<ExitStatus>) -> Self {
        waited.map_or_else(Self::Trouble, Self::Exit)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(status) => write!(formatter, "{status}"),
            Self::Trouble(error) => write!(formatter, "{error}"),
        }
    }
}
