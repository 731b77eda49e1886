//! What the operating system knows about a process that was started here.

use std::{fs, process::Child, time::Duration};

use rustix::param::clock_ticks_per_second;

use crate::error::LoadError;

/// Where the processor times stand in `/proc/PID/stat` behind the program's name.
///
/// Source: the manual page `proc_pid_stat(5)`: `utime` is field 14 and `stime` field 15, the name is field 2.
const TIMES: std::ops::Range<usize> = 11..13;

/// A process that ends with this value: killed by its id.
pub struct Process {
    child: Child,
}

impl Process {
    /// Takes care of a process that was just started.
    pub fn new(child: Child) -> Self {
        Self { child }
    }

    /// Whether it runs no more.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Processor time it has used so far, in user and kernel mode.
    pub fn cpu_time(&self) -> Result<Duration, LoadError> {
        let stat = self.read("stat", "processor time")?;
        // The name may hold anything, even spaces and brackets.
        let behind_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let times: Vec<u64> =
            behind_name.split(' ').take(TIMES.end).skip(TIMES.start).filter_map(|ticks| ticks.parse().ok()).collect();
        match times[..] {
            [user, kernel] => Ok(Duration::from_millis((user + kernel) * 1_000 / clock_ticks_per_second().max(1))),
            _ => Err(self.unknown("processor time")),
        }
    }

    /// Memory it holds now, in units of 1,024 bytes.
    pub fn resident_kilobytes(&self) -> Result<u64, LoadError> {
        self.read("status", "memory")?
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| self.unknown("memory"))
    }

    fn read(&self, file: &str, fact: &'static str) -> Result<String, LoadError> {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).map_err(|_| self.unknown(fact))
    }

    fn unknown(&self, fact: &'static str) -> LoadError {
        LoadError::NoFact { fact, pid: self.child.id() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
