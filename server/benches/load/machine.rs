//! The machine the figures belong to, and what it has to allow.

use std::{fs, process::Command, thread};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::LoadError;

/// Open files this process needs for all sockets of a measurement; each server needs fewer.
const OPEN_FILES: u64 = 6_000;
/// With so many nothing is missing.
const OPEN_FILES_WANTED: u64 = 21_000;

/// Raises the limit of open files of this process, which the servers inherit, as far as it may.
///
/// # Errors
///
/// When that is not enough.
pub fn raise_open_files() -> Result<(), LoadError> {
    let limit = getrlimit(Resource::Nofile);
    let raise = |maximum| setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    // Above the hard limit only root may go.
    if limit.maximum.is_none_or(|maximum| maximum >= OPEN_FILES_WANTED) || raise(Some(OPEN_FILES_WANTED)).is_err() {
        let _ = raise(limit.maximum);
    }
    match getrlimit(Resource::Nofile).current {
        Some(allowed) if allowed < OPEN_FILES => Err(LoadError::OpenFiles { allowed, needed: OPEN_FILES }),
        _ => Ok(()),
    }
}

/// How many sockets this process may hold, with files left for everything else.
pub fn sockets_at_most() -> usize {
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(allowed).unwrap_or(usize::MAX).saturating_sub(500)
}

/// One line: processors, kernel, commit.
pub fn describe() -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown processor", |(_, model)| model.trim());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores of {model}, Linux {}, commit {}", kernel.trim(), commit())
}

/// The commit the sources stand at; says so when they differ from it.
fn commit() -> String {
    let told = Command::new("git").args(["describe", "--always", "--dirty=+changes", "--abbrev=10"]).output();
    match told {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        _ => "unknown".to_owned(),
    }
}
