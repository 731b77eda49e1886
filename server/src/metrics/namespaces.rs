//! WebSocket endpoints, as every part of the server that has some reports them.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::{
    clock::rfc3339,
    hub::{Hub, Link},
    relay::{self, Relay},
};

/// Something with WebSocket endpoints: the relay, and whatever brings more of them.
pub trait Namespaces: Send + Sync + 'static {
    /// Its endpoints now, those without sockets too. Must not block.
    fn namespaces(&self) -> Vec<Namespace>;
}

/// One endpoint of one instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Namespace {
    /// Where browsers connect.
    pub path: String,
    /// Users who are signed in on its sockets.
    pub users: u64,
    /// Sockets.
    pub connections: u64,
    /// Messages browsers sent since the start.
    pub messages: u64,
    /// Those of the last minute. Filled in by whoever collects the reports.
    pub messages_per_minute: u64,
    /// How it is.
    pub status: Status,
    /// When something last happened; RFC 3339.
    pub last_activity: Option<String>,
}

/// How an endpoint is, the best first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Well.
    #[default]
    Green,
    /// Sockets were closed lately because they read too slowly, or messages went nowhere.
    Yellow,
    /// What is said here does not reach the other instances.
    Red,
}

/// The relay as an endpoint among others.
pub(super) struct RelayNamespace {
    pub(super) relay: Relay,
    pub(super) hub: Hub,
    pub(super) slow: Lately,
}

impl Namespaces for RelayNamespace {
    fn namespaces(&self) -> Vec<Namespace> {
        let counted = self.relay.stats();
        let is_slow = self.slow.has_grown(counted.overflowed);
        let status = match *self.hub.link().borrow() {
            Link::Down => Status::Red,
            Link::Up | Link::Local if is_slow => Status::Yellow,
            Link::Up | Link::Local => Status::Green,
        };
        vec![Namespace {
            path: relay::PATH.to_owned(),
            users: counted.users,
            connections: counted.sockets,
            messages: counted.received,
            messages_per_minute: 0,
            status,
            last_activity: (counted.active_at > 0).then(|| rfc3339(counted.active_at)),
        }]
    }
}

/// Whether a count grew within the last minute.
#[derive(Debug, Default)]
pub struct Lately {
    /// What it was, and when it last grew.
    seen: std::sync::Mutex<(u64, Option<Instant>)>,
}

impl Lately {
    /// Takes what the count is now.
    pub fn has_grown(&self, count: u64) -> bool {
        const LATELY: Duration = Duration::from_mins(1);
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if count > seen.0 {
            *seen = (count, Some(Instant::now()));
        }
        seen.1.is_some_and(|at| at.elapsed() < LATELY)
    }
}
