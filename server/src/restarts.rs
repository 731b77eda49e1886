//! How often this instance was started again because a process of it ended, as far as somebody counts that.
//!
//! Our own [`supervisor`](crate::supervisor) passes its count to each process it starts, as pm2 does. systemd is asked.

use std::{env, time::Duration};

use tokio::{process::Command, time::timeout};

use crate::supervisor::ward;

/// How long systemd may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// The count of the program that started this process; 0 where nobody counts.
pub async fn count() -> u64 {
    match ward::restarts().or_else(counted_by_pm2) {
        Some(count) => count,
        None => counted_by_systemd().await.unwrap_or(0),
    }
}

/// pm2 gives each process its own record as environment.
fn counted_by_pm2() -> Option<u64> {
    env::var_os("pm_id")?;
    env::var("restart_time").ok()?.parse().ok()
}

/// Asks for the unit this process is the main one of.
async fn counted_by_systemd() -> Option<u64> {
    // A program that a service starts has the variables too, with another id.
    let main: u32 = env::var("SYSTEMD_EXEC_PID").ok()?.parse().ok()?;
    if main != std::process::id() {
        return None;
    }
    let unit = unit(&tokio::fs::read_to_string("/proc/self/cgroup").await.ok()?)?;
    let mut show = Command::new("systemctl");
    show.args(["show", "--value", "--property=NRestarts", &unit]).kill_on_drop(true);
    let output = timeout(ANSWER_WITHIN, show.output()).await.ok()?.ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// The unit of a process, from its `/proc/self/cgroup`.
fn unit(groups: &str) -> Option<String> {
    let path = groups
        .lines()
        .find_map(|line| line.strip_prefix("0::").or_else(|| Some(line.split_once("name=systemd:")?.1)))?;
    let unit = path.rsplit('/').find(|part| part.ends_with(".service"))?;
    Some(unit.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_read_from_the_control_group() {
        let of = |groups: &str| unit(groups);
        assert_eq!(of("0::/system.slice/system-jpulse.slice/jpulse@0.service\n").as_deref(), Some("jpulse@0.service"));
        assert_eq!(
            of("1:name=systemd:/system.slice/jpulse-launcher.service\n").as_deref(),
            Some("jpulse-launcher.service")
        );
        assert_eq!(of("0::/user.slice/user-1000.slice/session-2.scope\n"), None);
        assert_eq!(of(""), None);
    }
}
