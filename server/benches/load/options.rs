//! What is measured and for how long, from the environment.

use std::{env, time::Duration};

use crate::error::LoadError;

/// How long a load lasts unless the environment says otherwise.
const DURATION: Duration = Duration::from_secs(5);

/// What the caller wants.
pub struct Options {
    /// `BENCH_ONLY`, a list with commas; all of them when it is not set.
    pub measurements: Vec<Measurement>,
    /// `BENCH_SECONDS`: how long each load lasts.
    pub duration: Duration,
}

/// One kind of figures, with servers of its own.
#[derive(Clone, Copy)]
pub enum Measurement {
    /// Many subscribers of one channel.
    FanOut,
    /// From a publish on one instance to its delivery by the other.
    Latency,
    /// How fast sockets open.
    Connects,
    /// What an idle socket holds.
    Memory,
    /// Pages rendered on the server.
    Pages,
    /// Many channels, each with a subscriber.
    Joins,
    /// Many sockets that come back and missed something.
    Resume,
    /// What waited for Redis goes out.
    Flush,
    /// What a session costs.
    Sessions,
    /// What metrics and configuration cost.
    Observe,
    /// Messages to one user each, cursors that move, sockets that only wait.
    Endpoints,
}

const ALL: [(&str, Measurement); 11] = [
    ("fan-out", Measurement::FanOut),
    ("latency", Measurement::Latency),
    ("connects", Measurement::Connects),
    ("memory", Measurement::Memory),
    ("pages", Measurement::Pages),
    ("joins", Measurement::Joins),
    ("resume", Measurement::Resume),
    ("flush", Measurement::Flush),
    ("sessions", Measurement::Sessions),
    ("observe", Measurement::Observe),
    ("endpoints", Measurement::Endpoints),
];

impl Options {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// When a variable has a value that is not allowed.
    pub fn from_environment() -> Result<Self, LoadError> {
        let measurements = match env::var("BENCH_ONLY") {
            Ok(list) if !list.is_empty() => list.split(',').map(named).collect::<Result<_, _>>()?,
            _ => ALL.map(|(_, measurement)| measurement).to_vec(),
        };
        let duration = match env::var("BENCH_SECONDS") {
            Ok(text) if !text.is_empty() => seconds(text)?,
            _ => DURATION,
        };
        Ok(Self { measurements, duration })
    }
}

fn named(name: &str) -> Result<Measurement, LoadError> {
    let found = ALL.iter().find(|(known, _)| *known == name.trim());
    found.map(|(_, measurement)| *measurement).ok_or_else(|| LoadError::Option {
        name: "BENCH_ONLY",
        value: name.to_owned(),
        allowed: "one or more of fan-out, latency, connects, memory, pages, joins, resume, flush, sessions, endpoints, observe, with commas between",
    })
}

/// At most 12, and the longest load lasts twice as long: no socket here answers the pings that come after 30 seconds.
fn seconds(text: String) -> Result<Duration, LoadError> {
    match text.parse() {
        Ok(seconds @ 1..=12) => Ok(Duration::from_secs(seconds)),
        _ => Err(LoadError::Option { name: "BENCH_SECONDS", value: text, allowed: "a whole number from 1 to 12" }),
    }
}
