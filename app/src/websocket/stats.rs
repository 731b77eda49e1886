//! How endpoints are used, on all instances.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

/// Every endpoint and what happened lately: `data` of a frame `stats-update`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatsUpdate {
    /// By name; also those that nobody uses.
    pub endpoints: BTreeMap<Arc<str>, EndpointStats>,
    /// The latest first.
    pub activity: Vec<Activity>,
    /// When this was so, in RFC 3339.
    pub timestamp: String,
}

/// One endpoint on all instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointStats {
    /// Different users.
    pub users: usize,
    /// Sockets.
    pub connections: usize,
    /// Different rooms.
    pub rooms: usize,
    /// What happened, counted.
    #[serde(flatten)]
    pub counts: Counts,
    /// The same by instance.
    pub instances: BTreeMap<Arc<str>, PartStats>,
}

/// One endpoint on one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartStats {
    /// Different users.
    pub users: usize,
    /// Sockets.
    pub connections: usize,
    /// Different rooms.
    pub rooms: usize,
    /// What happened, counted.
    #[serde(flatten)]
    pub counts: Counts,
}

/// What happened on an endpoint, as people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Messages of browsers and of the server.
    pub messages: u64,
    /// The same in the latest minute.
    pub messages_per_minute: u64,
    /// Messages that went nowhere, by cause.
    pub dropped: BTreeMap<Loss, u64>,
    /// In RFC 3339; `None` for never.
    pub last_activity: Option<String>,
    /// Whether it is in use.
    pub status: Light,
}

/// Something that happened to a socket somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// On which endpoint.
    pub endpoint: Arc<str>,
    /// On which instance.
    pub instance: Arc<str>,
    /// When, in RFC 3339.
    pub timestamp: String,
    /// The same in milliseconds since 1970.
    pub at: u64,
    /// What.
    pub what: Happening,
    /// To whom; empty for a guest.
    #[serde(default)]
    pub username: String,
}

/// Why a message went nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Loss {
    /// It was too large.
    TooLarge,
    /// It came too fast.
    TooFast,
    /// It could not be read, or its sender may not send it.
    Refused,
    /// Nobody answered it in time.
    NoReply,
    /// The other instances were not reached.
    Link,
}

/// What can happen to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Happening {
    /// It opened.
    Connected,
    /// It closed.
    Disconnected,
    /// Something it said was refused.
    Refused,
}

/// Whether an endpoint is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Light {
    /// It is.
    Green,
    /// Not for five minutes.
    Yellow,
    /// Not for half an hour.
    Red,
}

impl Light {
    /// Of an endpoint that was last used at this time; both in milliseconds since 1970.
    pub fn of(last_activity: u64, now: u64) -> Self {
        const YELLOW: u64 = 5 * 60 * 1_000;
        const RED: u64 = 30 * 60 * 1_000;
        match now.saturating_sub(last_activity) {
            idle if idle >= RED => Self::Red,
            idle if idle >= YELLOW => Self::Yellow,
            _ => Self::Green,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Light;

    #[test]
    fn the_light_turns_with_time() {
        let minutes = |minutes: u64| Light::of(1, 1 + minutes * 60_000);
        assert_eq!(
            [0, 4, 5, 29, 30].map(minutes),
            [Light::Green, Light::Green, Light::Yellow, Light::Yellow, Light::Red]
        );
    }
}
