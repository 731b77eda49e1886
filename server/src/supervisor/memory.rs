//! How much memory an instance may use before the supervisor replaces its process.

use std::{str::FromStr, time::Duration};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// How often a process is measured.
pub(super) const MEASURED_EVERY: Duration = Duration::from_secs(2);
/// Pause before the second replacement in a row; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// Doublings of the pause at most: 16 minutes.
const DOUBLINGS: u32 = 5;
/// A process that served so long before it grew too large does not count as one in a row.
const STEADY_AFTER: Duration = Duration::from_hours(1);
/// The smallest limit: below it nothing runs.
const LEAST_BYTES: u64 = 1 << 20;

/// Resident memory above which a process is replaced, as `--max-memory` takes it: bytes, or `512M`, `1G`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimit(u64);

impl MemoryLimit {
    /// In bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for MemoryLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "allowed is a size of 1M or more, such as 512M, 1G or 1073741824".to_owned();
        let unit = text.chars().next_back().map(|unit| unit.to_ascii_uppercase());
        let (digits, shift) = match unit {
            Some('K') => (&text[..text.len() - 1], 10),
            Some('M') => (&text[..text.len() - 1], 20),
            Some('G') => (&text[..text.len() - 1], 30),
            _ => (text, 0),
        };
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        let bytes = number.checked_mul(1 << shift).filter(|bytes| *bytes >= LEAST_BYTES).ok_or_else(wrong)?;
        Ok(Self(bytes))
    }
}

/// Decides when a process is too large. Without I/O: sizes and times come in.
pub(super) struct MemoryPolicy {
    limit: Option<MemoryLimit>,
    /// Replacements one after the other of processes that did not serve for long.
    in_a_row: u32,
}

impl MemoryPolicy {
    pub(super) fn new(limit: Option<MemoryLimit>) -> Self {
        Self { limit, in_a_row: 0 }
    }

    /// The limit, when there is one.
    pub(super) fn limit(&self) -> Option<MemoryLimit> {
        self.limit
    }

    /// Whether a process that has been ready for so long is to be replaced. A limit that no process can keep costs
    /// one replacement every 16 minutes in the end, not one every few seconds.
    pub(super) fn is_due(&self, ready_for: Duration, resident_bytes: u64) -> bool {
        self.limit.is_some_and(|limit| resident_bytes > limit.bytes()) && ready_for >= self.pause()
    }

    /// Notes that a process was replaced which had been ready for so long.
    pub(super) fn replaced(&mut self, ready_for: Duration) {
        self.in_a_row = if ready_for >= STEADY_AFTER { 1 } else { self.in_a_row.saturating_add(1) };
    }

    fn pause(&self) -> Duration {
        match self.in_a_row.checked_sub(1) {
            None => Duration::ZERO,
            Some(doublings) => FIRST_PAUSE * 2_u32.pow(doublings.min(DOUBLINGS)),
        }
    }
}

/// Measures processes of this host.
pub(super) struct Gauge(Option<System>);

impl Gauge {
    pub(super) fn new() -> Self {
        Self(System::new().ok())
    }

    /// Bytes a process has in the machine's memory; `None` where the system does not say.
    pub(super) fn resident_bytes(&mut self, pid: u32) -> Option<u64> {
        let system = self.0.as_mut()?;
        let pid = Pid::from_u32(pid);
        let wanted = ProcessRefreshKind::nothing().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, wanted);
        system.process(pid).map(sysinfo::Process::memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, bytes) in [("1G", 1 << 30), ("512M", 512 << 20), ("2048k", 2 << 20), ("1048576", 1 << 20)] {
            assert_eq!(text.parse(), Ok(MemoryLimit(bytes)), "{text}");
        }
        for wrong in ["", "G", "1T", "-1G", "1.5G", "1K", "0", "99999999999G", "1 G", "é"] {
            assert!(wrong.parse::<MemoryLimit>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_limit_that_no_process_keeps_is_enforced_with_growing_pauses() {
        let mut policy = MemoryPolicy::new(Some(MemoryLimit(100)));
        assert!(!policy.is_due(Duration::from_hours(9), 100));
        let mut pauses = Vec::new();
        for _ in 0..9 {
            let mut ready_for = Duration::ZERO;
            while !policy.is_due(ready_for, 101) {
                ready_for += Duration::from_secs(30);
            }
            pauses.push(ready_for.as_secs());
            policy.replaced(ready_for);
        }
        assert_eq!(pauses, [0, 30, 60, 120, 240, 480, 960, 960, 960]);
        policy.replaced(STEADY_AFTER);
        assert!(policy.is_due(FIRST_PAUSE, 101), "it served for an hour: no longer in a row");
    }

    #[test]
    fn without_a_limit_nothing_is_too_large() {
        assert!(!MemoryPolicy::new(None).is_due(Duration::from_hours(9), u64::MAX));
    }

    #[test]
    fn this_process_is_measured() {
        assert!(Gauge::new().resident_bytes(std::process::id()).is_some_and(|bytes| bytes > LEAST_BYTES));
    }
}
