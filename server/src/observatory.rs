//! The whole cluster for pages: [`app::ports::Observatory`].
//!
//! Numbers come from [`metrics`](crate::metrics). One instance at a time says every ten seconds that there are
//! new ones; the public dashboard gets its few numbers along with that, and within seconds when browsers came or
//! went. A trace is a message that every instance answers.

mod ear;
mod view;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use app::{
    observatory::{
        ACTIVITY, Activity, ClusterView, Dashboard, DashboardAction, DashboardStats, Hop, REPORTED, Reported, TraceView,
    },
    ports::Todos,
};
use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;
use wire::{Channel, Payload};

use crate::{
    bus::{Keys, Put},
    hub::{Draft, Hub},
    metrics::Metrics,
};

/// How often pages are told that there are new numbers.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// Who tells, and for how long nobody else does.
const TOLD: &str = "observatory:told";
const TOLD_FOR: Duration = Duration::from_secs(9);
/// How often an instance looks whether browsers came to it or left.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Who told the dashboard of that, and for how long nobody else does.
const COUNTED: &str = "observatory:counted";
const COUNTED_FOR: Duration = Duration::from_secs(1);
/// How long a trace waits for answers.
const TRACE_WITHIN: Duration = Duration::from_secs(1);
/// Traces at once; more find nobody who answers.
const TRACES: usize = 32;
/// Work that waits; beyond, it is not done: a trace lacks a hop, the dashboard an action.
const WORK: usize = 256;

/// Where a trace asks, and where it is answered.
const ASKED: &str = "controller:system:trace:asked";
const HEARD: &str = "controller:system:trace:heard";

/// What pages know of the cluster. Ends with [`ObservatoryPort::stop`].
pub struct ObservatoryPort {
    shared: Arc<Shared>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

struct Shared {
    metrics: Metrics,
    hub: Hub,
    todos: Arc<dyn Todos>,
    keys: Option<Keys>,
    /// The newest first, as many as are shown.
    actions: Mutex<VecDeque<DashboardAction>>,
    /// Who waits for the answers of a trace.
    traces: Mutex<HashMap<String, mpsc::Sender<(String, Instant)>>>,
}

/// What is to be said because of something heard.
enum Work {
    /// Something was done through this instance.
    Done(DashboardAction),
    /// A trace came by.
    Traced(String),
}

impl ObservatoryPort {
    /// Starts listening and telling.
    pub fn start(metrics: Metrics, hub: Hub, todos: Arc<dyn Todos>, keys: Option<Keys>) -> Self {
        let shared =
            Arc::new(Shared { metrics, hub, todos, keys, actions: Mutex::default(), traces: Mutex::default() });
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let (work, waiting) = mpsc::channel(WORK);
        tasks.spawn(stop.clone().run_until_cancelled_owned(ear::listen(Arc::clone(&shared), work)));
        tasks.spawn(stop.clone().run_until_cancelled_owned(answer(Arc::clone(&shared), waiting)));
        tasks.spawn(stop.clone().run_until_cancelled_owned(tell(Arc::clone(&shared))));
        tasks.spawn(stop.clone().run_until_cancelled_owned(count(Arc::clone(&shared))));
        tasks.close();
        Self { shared, tasks, stop }
    }

    /// Stops.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

#[async_trait]
impl app::ports::Observatory for ObservatoryPort {
    async fn cluster(&self) -> ClusterView {
        view::cluster(&self.shared.metrics, self.shared.hub.instance_id()).await
    }

    async fn trace(&self) -> TraceView {
        self.shared.trace().await
    }

    async fn dashboard(&self) -> Dashboard {
        let Activity { active_users, stats, .. } = self.shared.activity(None).await;
        let recent_actions = self.shared.actions().iter().cloned().collect();
        Dashboard { active_users, stats, recent_actions }
    }
}

/// Tells pages regularly; without Redis this instance, with it one of them.
async fn tell(shared: Arc<Shared>) {
    let mut due = interval(TELL_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        if shared.is_first(TOLD, TOLD_FOR).await {
            shared.publish(REPORTED.channel(), &Reported {}).await;
            shared.tell_dashboard(None).await;
        }
    }
}

/// Tells the dashboard soon when browsers came to this instance or left it. Whoever is not the first to tell within
/// a second does in the next one: its browsers are still news. Nothing is told while Redis is away: it would only
/// push what matters out of the outbox.
async fn count(shared: Arc<Shared>) {
    let mut due = interval(LOOK_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = 0;
    loop {
        due.tick().await;
        let here = shared.metrics.connections();
        if here != told && !shared.is_cut_off() && shared.is_first(COUNTED, COUNTED_FOR).await {
            // Before the next instance tells, which adds up what is reported.
            shared.metrics.report().await;
            shared.tell_dashboard(None).await;
            told = here;
        }
    }
}

async fn answer(shared: Arc<Shared>, mut waiting: mpsc::Receiver<Work>) {
    while let Some(work) = waiting.recv().await {
        match work {
            Work::Done(action) => shared.tell_dashboard(Some(action)).await,
            Work::Traced(id) => {
                if let Ok(channel) = Channel::parse(HEARD) {
                    shared.publish(channel, &json!({ "trace": id })).await;
                }
            }
        }
    }
}

impl Shared {
    fn actions(&self) -> MutexGuard<'_, VecDeque<DashboardAction>> {
        self.actions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn traces(&self) -> MutexGuard<'_, HashMap<String, mpsc::Sender<(String, Instant)>>> {
        self.traces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_cut_off(&self) -> bool {
        self.keys.as_ref().is_some_and(|keys| !keys.is_up())
    }

    /// Whether no other instance has done this lately. Nobody can say without Redis: then each does it for its own
    /// browsers.
    async fn is_first(&self, key: &str, life: Duration) -> bool {
        match self.keys.as_ref().filter(|keys| keys.is_up()) {
            Some(keys) => keys.put(key, "1", life, Put::IfAbsent).await.unwrap_or(true),
            None => true,
        }
    }

    async fn publish(&self, channel: Channel, payload: &impl Serialize) {
        let payload: Payload = match serde_json::to_value(payload) {
            Ok(Value::Object(payload)) => payload,
            Ok(_) | Err(_) => return,
        };
        let draft = Draft { channel, payload, uuid: None, username: String::new(), saved: None };
        if let Err(error) = self.hub.publish(draft).await {
            tracing::debug!(%error, "the observatory was not told");
        }
    }

    async fn tell_dashboard(&self, action: Option<DashboardAction>) {
        let activity = self.activity(action).await;
        self.publish(ACTIVITY.channel(), &activity).await;
    }

    async fn activity(&self, action: Option<DashboardAction>) -> Activity {
        let records = self.metrics.instances().await;
        let todos = self.todos.list(1, None).await.map(|page| page.stats).unwrap_or_default();
        Activity {
            active_users: records.iter().map(|record| record.connections.websocket).sum(),
            stats: DashboardStats {
                instances: u64::try_from(records.len()).unwrap_or_default(),
                tasks: todos.total,
                completed: todos.completed,
                messages: records.iter().map(|record| record.traffic.delivered).sum(),
            },
            action,
        }
    }

    async fn trace(&self) -> TraceView {
        let mut silent: Vec<String> =
            self.metrics.instances().await.into_iter().map(|record| record.instance_id).collect();
        let id = Uuid::new_v4().to_string();
        let (heard, mut hearing) = mpsc::channel(silent.len().max(1));
        {
            let mut traces = self.traces();
            if traces.len() < TRACES {
                traces.insert(id.clone(), heard);
            }
        }
        let began = Instant::now();
        let after = |at: Instant| at.saturating_duration_since(began).as_secs_f64() * 1_000.0;
        let mut hops = Vec::with_capacity(silent.len() + 2);
        let payload = json!({ "trace": id }).as_object().cloned().unwrap_or_default();
        if let Ok(channel) = Channel::parse(ASKED) {
            let draft = Draft { channel, payload, uuid: None, username: String::new(), saved: None };
            let what = match self.hub.publish(draft).await {
                Ok(receipt) => match receipt.position {
                    Some(position) => format!("in the log, at offset {}", position.offset),
                    None => "kept for the time Redis is back".to_owned(),
                },
                Err(error) => format!("refused: {error}"),
            };
            hops.push(Hop { what, after_ms: after(Instant::now()) });
        }
        let until = tokio::time::Instant::from_std(began + TRACE_WITHIN);
        while !silent.is_empty()
            && let Ok(Some((instance, at))) = timeout_at(until, hearing.recv()).await
        {
            silent.retain(|waited| *waited != instance);
            hops.push(Hop { what: format!("heard by {instance}, and its answer heard here"), after_ms: after(at) });
        }
        self.traces().remove(&id);
        hops.sort_by(|one, other| one.after_ms.total_cmp(&other.after_ms));
        TraceView { hops, silent }
    }
}
