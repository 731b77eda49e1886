//! What a process does that was started by a supervisor.

use std::{env, io};

use rustix::process::getppid;
use tokio::process::Command;

use crate::config::Config;

/// Holds the id of the supervisor's process.
const SUPERVISOR: &str = "JPULSE_SUPERVISOR";

/// Has a process that is started know its supervisor.
pub(super) fn mark(command: &mut Command) {
    command.env(SUPERVISOR, std::process::id().to_string());
}

/// Holds how often the supervisor has started the process of this instance again.
const RESTARTS: &str = "JPULSE_RESTARTS";

/// Has a process that is started know how often that was done before because one ended or grew too large.
pub(super) fn count_restarts(command: &mut Command, restarts: u32) {
    command.env(RESTARTS, restarts.to_string());
}

/// What the supervisor counted; `None` in a process without one.
#[must_use]
pub fn restarts() -> Option<u64> {
    env::var(RESTARTS).ok().filter(|_| has_supervisor())?.parse().ok()
}

/// Whether a supervisor started this process.
#[must_use]
pub fn has_supervisor() -> bool {
    env::var_os(SUPERVISOR).is_some()
}

/// What lines of the log begin with when several processes write to one place.
pub fn source(config: &Config) -> Option<String> {
    has_supervisor().then(|| config.site.instance.clone())
}

/// Stops this process gracefully when its supervisor is gone, however that ended: the ports are wanted by the
/// next one. Does nothing in a process without a supervisor.
///
/// # Errors
///
/// When the supervisor is gone already.
pub fn follow() -> io::Result<()> {
    let Some(supervisor) = env::var(SUPERVISOR).ok().and_then(|id| id.parse::<u32>().ok()) else { return Ok(()) };
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
    let parent = getppid().and_then(|parent| u32::try_from(parent.as_raw_nonzero().get()).ok());
    if parent == Some(supervisor) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::NotConnected, "the supervisor of this process is gone"))
}
