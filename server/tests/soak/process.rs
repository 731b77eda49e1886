//! A program that was started here: ended with its value, by its id.

use std::{fs, io, process::Child};

use rustix::process::{Pid, Signal, kill_process};

/// A running program.
pub struct Process {
    child: Child,
}

impl Process {
    /// Takes care of a program that was just started.
    pub fn new(child: Child) -> Self {
        Self { child }
    }

    /// Whether it runs no more.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Lets it hang: its connections stay, nothing answers.
    pub fn pause(&mut self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub fn resume(&mut self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    /// Asks it to end in its own time.
    pub fn terminate(&mut self) -> io::Result<()> {
        self.signal(Signal::TERM)
    }

    fn signal(&mut self, signal: Signal) -> io::Result<()> {
        // The id of one that has ended may be somebody else's by now.
        if self.has_ended() {
            return Ok(());
        }
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Memory it holds now, in units of 1,024 bytes.
    pub fn resident_kilobytes(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself. A paused program dies of this, too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
