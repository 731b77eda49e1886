//! What the observatory shows: all instances, what they do and what went wrong.

use serde::{Deserialize, Serialize};

use crate::{channel, cluster::TypedChannel};

/// Says that there are new numbers: whoever may see them asks for them. The numbers themselves are not for
/// every browser.
pub const REPORTED: TypedChannel<Reported> = channel!("view:system:cluster:reported");

/// Where the public dashboard hears what goes on.
pub const ACTIVITY: TypedChannel<Activity> = channel!("view:dashboard:activity:update");

/// There are new numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {}

/// All instances at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterView {
    /// All of them together.
    pub totals: TotalsView,
    /// By server, then by name.
    pub instances: Vec<InstanceView>,
    /// Requests of the last five minutes, the most frequent routes first.
    pub routes: Vec<RouteView>,
    /// The latest errors, newest first.
    pub errors: Vec<ErrorView>,
    /// Which instance answers.
    pub seen_by: String,
}

/// All instances together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TotalsView {
    /// Hosts.
    pub servers: usize,
    /// Instances that serve.
    pub running: usize,
    /// Those that are stopping.
    pub stopped: usize,
    /// Those whose Redis or store does not answer.
    pub errored: usize,
    /// How often instances were started again because a process ended or grew too large.
    pub restarts: u64,
    /// WebSocket endpoints.
    pub endpoints: usize,
    /// Sockets and event streams.
    pub sockets: u64,
    /// Sessions that are not over.
    pub sessions: u64,
    /// Bytes of memory of all instances.
    pub memory_bytes: u64,
    /// Per cent of one processor, the mean of all instances.
    pub cpu_percent: f64,
    /// Load over the last minute, the mean of all hosts.
    pub load: f64,
    /// Bytes Redis uses; 0 without Redis.
    pub redis_memory_bytes: u64,
    /// Bytes Redis may use; 0 without a limit.
    pub redis_limit_bytes: u64,
}

/// One instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstanceView {
    /// Its name.
    pub id: String,
    /// Its host.
    pub server: String,
    /// `online`, `errored` or `stopping`.
    pub status: String,
    /// Its link to Redis: `local`, `up`, or `down` and why.
    pub link: String,
    /// What runs.
    pub version: String,
    /// Whole seconds since the start.
    pub uptime_seconds: u64,
    /// How often it was started again because a process of it ended or grew too large.
    pub restarts: u64,
    /// Sockets and event streams.
    pub sockets: u64,
    /// Messages published and delivered.
    pub messages: u64,
    /// Half of all messages to browsers are delivered within so many milliseconds.
    pub latency_p50: u64,
    /// 99 of 100.
    pub latency_p99: u64,
    /// Losses that could not be repaired.
    pub gaps: u64,
    /// Messages fallen out of the outbox.
    pub dropped: u64,
    /// Sockets closed because they read too slowly.
    pub slow_sockets: u64,
    /// Messages that wait for the link.
    pub outbox: u64,
    /// How long Redis took to answer, in microseconds.
    pub redis_micros: u64,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Per cent of one processor.
    pub cpu_percent: f64,
    /// Messages a second, lately, oldest first.
    pub rates: Vec<f64>,
}

/// One route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteView {
    /// Its template.
    pub route: String,
    /// How often it was answered.
    pub total: u64,
    /// How often with a status of 400 and above.
    pub failed: u64,
}

/// One error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorView {
    /// When; RFC 3339.
    pub at: String,
    /// Where.
    pub instance_id: String,
    /// What was being done.
    pub place: String,
    /// What was said.
    pub message: String,
}

/// The way of one message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceView {
    /// In the order of their times.
    pub hops: Vec<Hop>,
    /// Instances that should have heard it and did not say so.
    pub silent: Vec<String>,
}

/// One stop on the way of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// What happened.
    pub what: String,
    /// Milliseconds after it was published.
    pub after_ms: f64,
}

/// What goes on, for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dashboard {
    /// Browsers that are connected, on all instances.
    pub active_users: u64,
    /// Numbers.
    pub stats: DashboardStats,
    /// What was done, newest first.
    #[serde(default)]
    pub recent_actions: Vec<DashboardAction>,
}

/// Numbers for everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DashboardStats {
    /// Instances that run.
    pub instances: u64,
    /// Tasks on the to-do list.
    pub tasks: u64,
    /// Those of them that are done.
    pub completed: u64,
    /// Messages delivered since the start.
    pub messages: u64,
}

/// Something somebody did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardAction {
    /// What: `created`, `updated`, `deleted`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who; empty for a guest.
    pub user: String,
    /// To what.
    pub details: String,
    /// When; RFC 3339.
    pub timestamp: String,
}

/// What the dashboard hears.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// As in [`Dashboard`].
    pub active_users: u64,
    /// As in [`Dashboard`].
    pub stats: DashboardStats,
    /// What was just done.
    #[serde(default)]
    pub action: Option<DashboardAction>,
}

impl Dashboard {
    /// Actions that are shown.
    pub const ACTIONS: usize = 50;

    /// Takes what is new; the same twice changes nothing.
    pub fn apply(&mut self, activity: Activity) {
        self.active_users = activity.active_users;
        self.stats = activity.stats;
        if let Some(action) = activity.action
            && !self.recent_actions.contains(&action)
        {
            self.recent_actions.insert(0, action);
            self.recent_actions.truncate(Self::ACTIONS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_shown_once_the_newest_first() {
        let mut dashboard = Dashboard::default();
        let action = |number: u64| DashboardAction { details: number.to_string(), ..DashboardAction::default() };
        for number in (0..60).chain([59]) {
            let news = Activity { active_users: number, action: Some(action(number)), ..Activity::default() };
            dashboard.apply(news);
        }
        assert_eq!((dashboard.recent_actions.len(), dashboard.active_users), (50, 59));
        assert_eq!(dashboard.recent_actions[..2], [action(59), action(58)]);
    }
}
