//! Facts about this host and this process, looked up in one place for everybody who wants them.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::time::Instant;

use super::record::{Cpu, Memory};

/// How long facts are as good as new.
const FRESH_FOR: Duration = Duration::from_secs(2);
/// Microseconds of a clock tick, in which Linux counts processor time.
const TICK_MICROS: u64 = 10_000;

/// Looks things up, no more often than they change.
pub(super) struct Host {
    name: String,
    sampler: Mutex<Sampler>,
}

struct Sampler {
    /// `None` where the operating system tells nothing.
    system: Option<System>,
    latest: Option<(Instant, Facts)>,
}

/// What is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    pub(super) memory: Memory,
    pub(super) cpu: Cpu,
    pub(super) free_memory: u64,
    pub(super) total_memory: u64,
    pub(super) ppid: u32,
}

impl Host {
    /// This host, by the configured name or its own.
    pub(super) fn new(name: &str) -> Self {
        let name =
            if name.is_empty() { gethostname::gethostname().to_string_lossy().into_owned() } else { name.to_owned() };
        Self { name, sampler: Mutex::new(Sampler { system: System::new().ok(), latest: None }) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What holds now, or held two seconds ago.
    pub(super) fn facts(&self) -> Facts {
        let mut sampler = self.sampler.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, facts)) = sampler.latest
            && at.elapsed() < FRESH_FOR
        {
            return facts;
        }
        let facts = sampler.look();
        sampler.latest = Some((Instant::now(), facts));
        facts
    }
}

impl Sampler {
    fn look(&mut self) -> Facts {
        let Some(system) = &mut self.system else { return Facts::default() };
        system.refresh_memory();
        let pid = Pid::from_u32(std::process::id());
        let wanted = ProcessRefreshKind::nothing().with_cpu().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, wanted);
        let process = system.process(pid);
        let rss = process.map(sysinfo::Process::memory).unwrap_or_default();
        let (user, in_system) = processor_time().unwrap_or_default();
        Facts {
            memory: Memory { used: rss, total: process.map(sysinfo::Process::virtual_memory).unwrap_or_default(), rss },
            cpu: Cpu {
                user,
                system: in_system,
                percent: process.map(|process| f64::from(process.cpu_usage())).unwrap_or_default(),
                load_avg: System::load_average().map(|load| [load.one, load.five, load.fifteen]).unwrap_or_default(),
            },
            free_memory: system.available_memory(),
            total_memory: system.total_memory(),
            ppid: process.and_then(sysinfo::Process::parent).map(Pid::as_u32).unwrap_or_default(),
        }
    }
}

/// Microseconds this process has computed, itself and in the system; `None` where Linux does not tell.
fn processor_time() -> Option<(u64, u64)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name before it may hold anything. `utime` and `stime` are fields 14 and 15, `state` is field 3.
    let mut ticks = stat.rsplit_once(')')?.1.split_whitespace().skip(11).map(|ticks| ticks.parse::<u64>().ok());
    Some((ticks.next()?? * TICK_MICROS, ticks.next()?? * TICK_MICROS))
}

/// As Node.js names processors.
pub(super) fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    }
}
