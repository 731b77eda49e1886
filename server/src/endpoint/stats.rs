//! How endpoints are used, on all instances.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use app::websocket::{Activity, Counts, EndpointStats, Light, PartStats, StatsUpdate};
use serde::Serialize;

use super::{Endpoint, Endpoints, online_key, report::Report, tally};
use crate::clock;

/// What happened lately, of all instances together, at most.
const ACTIVITY: usize = 50;

/// Where a user is connected to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Online {
    /// Whether anywhere.
    pub online: bool,
    /// On which instances.
    pub instances: Vec<String>,
}

impl Endpoints {
    /// Everything there is to say now.
    pub fn update(&self) -> StatsUpdate {
        StatsUpdate { endpoints: self.stats(), activity: self.activity(), timestamp: clock::now() }
    }

    /// Every endpoint, also one that nobody uses.
    pub fn stats(&self) -> BTreeMap<Arc<str>, EndpointStats> {
        let now = clock::now_milliseconds();
        let all = self.all().into_iter();
        all.map(|(name, endpoint)| (name, stats_of(&self.reports(&endpoint), now))).collect()
    }

    /// What happened lately on all endpoints, the latest first.
    pub fn activity(&self) -> Vec<Activity> {
        let mut events = Vec::new();
        for (name, endpoint) in self.all() {
            for (instance, report) in self.reports(&endpoint) {
                events.extend(report.activity.iter().map(|happened| Activity {
                    endpoint: Arc::clone(&name),
                    instance: Arc::clone(&instance),
                    timestamp: clock::rfc3339(happened.at),
                    at: happened.at,
                    what: happened.what,
                    username: happened.username.clone(),
                }));
            }
        }
        events.sort_by_key(|event| std::cmp::Reverse(event.at));
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
            // Either says that it lives.
            let signs: Vec<String> =
                others.iter().flat_map(|id| [format!("instance:{id}"), format!("health:instance:{id}")]).collect();
            let alive = keys.exist(&signs).await.unwrap_or_default();
            let is_alive = alive.chunks(2).map(|signs| signs.contains(&true));
            instances.extend(others.into_iter().zip(is_alive).filter(|(_, is_alive)| *is_alive).map(|(id, _)| id));
            // What Redis evicted, instances that live have reported.
            let reported = self.peers().with_user(&endpoint.name, user);
            instances.extend(reported.iter().map(ToString::to_string));
            instances.sort_unstable();
            instances.dedup();
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

fn stats_of(reports: &[(Arc<str>, Arc<Report>)], now: u64) -> EndpointStats {
    let mut counts = tally::Counts::default();
    let (mut users, mut rooms) = (HashSet::new(), HashSet::new());
    let (mut unlisted, mut connections) = (0, 0);
    let mut instances = BTreeMap::new();
    for (instance, report) in reports {
        users.extend(report.users.keys());
        rooms.extend(report.rooms.keys());
        unlisted += report.unlisted;
        connections += report.connections;
        counts.add(&report.counts);
        let part = PartStats {
            users: report.users.len() + report.unlisted,
            connections: report.connections,
            rooms: report.rooms.len(),
            counts: seen(&report.counts, now),
        };
        instances.insert(Arc::clone(instance), part);
    }
    let (users, rooms, counts) = (users.len() + unlisted, rooms.len(), seen(&counts, now));
    EndpointStats { users, connections, rooms, counts, instances }
}

fn seen(counts: &tally::Counts, now: u64) -> Counts {
    let tally::Counts { messages, messages_per_minute, dropped, last_activity } = counts.clone();
    let status = Light::of(last_activity, now);
    let last_activity = (last_activity > 0).then(|| clock::rfc3339(last_activity));
    Counts { messages, messages_per_minute, dropped, last_activity, status }
}
