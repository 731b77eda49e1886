//! How endpoints are used, on all instances.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use serde::Serialize;

use super::{
    Endpoint, Endpoints, online_key,
    report::Report,
    tally::{Activity, Counts, Light},
};
use crate::clock;

/// What happened lately, of all instances together, at most.
const ACTIVITY: usize = 50;

/// One endpoint on all instances.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Different users.
    pub users: usize,
    /// Sockets.
    pub connections: usize,
    /// Different rooms.
    pub rooms: usize,
    #[serde(flatten)]
    counts: Seen,
    /// The same by instance.
    pub instances: BTreeMap<Arc<str>, Part>,
}

/// One endpoint on one instance.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    users: usize,
    connections: usize,
    rooms: usize,
    #[serde(flatten)]
    counts: Seen,
}

/// Counts as people read them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    messages: u64,
    messages_per_minute: u64,
    dropped: BTreeMap<super::tally::Loss, u64>,
    /// `null` for never.
    last_activity: Option<String>,
    status: Light,
}

/// Something that happened somewhere.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    endpoint: Arc<str>,
    instance: Arc<str>,
    timestamp: String,
    #[serde(flatten)]
    activity: Activity,
}

/// Where a user is connected to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Online {
    /// Whether anywhere.
    pub online: bool,
    /// On which instances.
    pub instances: Vec<String>,
}

impl Seen {
    fn new(counts: &Counts, now: u64) -> Self {
        let Counts { messages, messages_per_minute, dropped, last_activity } = counts.clone();
        let status = Light::of(last_activity, now);
        let last_activity = (last_activity > 0).then(|| clock::rfc3339(last_activity));
        Self { messages, messages_per_minute, dropped, last_activity, status }
    }
}

impl Endpoints {
    /// Every endpoint, also one that nobody uses.
    pub fn stats(&self) -> BTreeMap<Arc<str>, Stats> {
        let now = clock::now_milliseconds();
        let all = self.all().into_iter();
        all.map(|(name, endpoint)| (name, stats_of(&self.reports(&endpoint), now))).collect()
    }

    /// What happened lately on all endpoints, the latest first.
    pub fn activity(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for (name, endpoint) in self.all() {
            for (instance, report) in self.reports(&endpoint) {
                events.extend(report.activity.iter().map(|activity| Event {
                    endpoint: Arc::clone(&name),
                    instance: Arc::clone(&instance),
                    timestamp: clock::rfc3339(activity.at),
                    activity: activity.clone(),
                }));
            }
        }
        events.sort_by_key(|event| std::cmp::Reverse(event.activity.at));
        events.truncate(ACTIVITY);
        events
    }

    /// Whether a user is connected to an endpoint, and where. What a crashed instance said does not count.
    pub async fn online(&self, endpoint: &Endpoint, user: &str) -> Online {
        let mut instances = Vec::new();
        if endpoint.here().roster.has(user) {
            instances.push(self.instance_id().to_string());
        }
        if let Some(keys) = &self.shared.keys {
            let named = keys.members(&online_key(&endpoint.name, user)).await.unwrap_or_default();
            let others: Vec<String> = named.into_iter().filter(|id| **id != **self.instance_id()).collect();
            // An instance on Node.js keeps the second one alone.
            let signs: Vec<String> =
                others.iter().flat_map(|id| [format!("instance:{id}"), format!("health:instance:{id}")]).collect();
            let alive = keys.exist(&signs).await.unwrap_or_default();
            let is_alive = alive.chunks(2).map(|signs| signs.contains(&true));
            instances.extend(others.into_iter().zip(is_alive).filter(|(_, is_alive)| *is_alive).map(|(id, _)| id));
            instances.sort_unstable();
        }
        Online { online: !instances.is_empty(), instances }
    }

    /// What is known of one endpoint, by instance.
    fn reports(&self, endpoint: &Endpoint) -> Vec<(Arc<str>, Arc<Report>)> {
        let here = endpoint.here().report(&self.shared.boot);
        let mut reports = self.peers().of(&endpoint.name);
        reports.push((Arc::clone(self.instance_id()), Arc::new(here)));
        reports
    }
}

fn stats_of(reports: &[(Arc<str>, Arc<Report>)], now: u64) -> Stats {
    let mut counts = Counts::default();
    let (mut users, mut rooms) = (HashSet::new(), HashSet::new());
    let (mut unlisted, mut connections) = (0, 0);
    let mut instances = BTreeMap::new();
    for (instance, report) in reports {
        users.extend(report.users.keys());
        rooms.extend(report.rooms.keys());
        unlisted += report.unlisted;
        connections += report.connections;
        counts.add(&report.counts);
        let part = Part {
            users: report.users.len() + report.unlisted,
            connections: report.connections,
            rooms: report.rooms.len(),
            counts: Seen::new(&report.counts, now),
        };
        instances.insert(Arc::clone(instance), part);
    }
    let (users, rooms, counts) = (users.len() + unlisted, rooms.len(), Seen::new(&counts, now));
    Stats { users, connections, rooms, counts, instances }
}
