//! What is run and for how long, from the environment.

use std::{
    env,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::error::SoakError;

/// What the caller wants.
pub struct Options {
    /// `SOAK_SEED`: repeats the faults of another run; chosen by the clock when it is not set.
    pub seed: u64,
    /// `SOAK_SECONDS`: how long things break.
    pub duration: Duration,
    /// `SOAK_ONLY`, a list with commas; all of them when it is not set.
    pub trials: Vec<Trial>,
}

/// What is tried, each on servers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// Everything breaks at random.
    Faults,
    /// Redis hangs for half a minute.
    HangingRedis,
    /// One socket in a hundred stops reading.
    StalledSockets,
    /// All instances are restarted, one after the other.
    RollingRestart,
    /// Redis is away under constant load on many channels.
    Outage,
}

const ALL: [(&str, Trial); 5] = [
    ("faults", Trial::Faults),
    ("hanging-redis", Trial::HangingRedis),
    ("stalled-sockets", Trial::StalledSockets),
    ("rolling-restart", Trial::RollingRestart),
    ("outage", Trial::Outage),
];

impl Trial {
    /// As it is called in `SOAK_ONLY`.
    pub fn name(self) -> &'static str {
        ALL.iter().find(|(_, trial)| *trial == self).map_or("", |(name, _)| name)
    }
}

impl Options {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// When a variable has a value that is not allowed.
    pub fn from_environment() -> Result<Self, SoakError> {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let seconds = variable("SOAK_SECONDS").map_or(Ok(60), |text| number("SOAK_SECONDS", text))?;
        let seed = variable("SOAK_SEED").map_or_else(|| Ok(by_the_clock()), |text| number("SOAK_SEED", text))?;
        let trials = match variable("SOAK_ONLY") {
            Some(list) => list.split(',').map(named).collect::<Result<_, _>>()?,
            None => ALL.map(|(_, trial)| trial).to_vec(),
        };
        Ok(Self { seed, duration: Duration::from_secs(seconds), trials })
    }
}

fn number(name: &'static str, value: String) -> Result<u64, SoakError> {
    value.parse().map_err(|_| SoakError::Option { name, value, allowed: "a whole number" })
}

fn named(name: &str) -> Result<Trial, SoakError> {
    let found = ALL.iter().find(|(known, _)| *known == name.trim());
    found.map(|(_, trial)| *trial).ok_or_else(|| SoakError::Option {
        name: "SOAK_ONLY",
        value: name.to_owned(),
        allowed: "one or more of faults, hanging-redis, stalled-sockets, rolling-restart, outage, with commas between",
    })
}

/// Short enough to be typed.
fn by_the_clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_nanos() / 1_000)
}
