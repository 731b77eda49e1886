//! Helpers for server code that has more to tell than anybody can read: fewer broadcasts, nothing final lost.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until, timeout},
};
use wire::{Channel, Payload};

use crate::ports::{Cluster, Publisher};

/// Changes that go into one broadcast at most: a burst makes several.
const CHANGES_TOGETHER: usize = 100;

/// Publishes at most once in an interval: the first value at once, of those that follow too soon the
/// latest when the interval is over.
///
/// ```no_run
/// # fn example(cluster: std::sync::Arc<dyn app::ports::Cluster>) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use app::pace::Throttle;
///
/// let progress = Throttle::new(cluster, "view:myApp:import:progress".parse()?, Duration::from_secs(1));
/// for percent in 0..=100 {
///     // Every browser sees at most one a second, and 100 in the end.
///     progress.publish(serde_json::json!({ "percent": percent }).as_object().cloned().unwrap_or_default());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Throttle {
    shared: Arc<Outlet>,
    every: Duration,
    latest: Arc<Mutex<Latest>>,
}

/// Gathers changes and publishes them together as `{"changes": […]}`, oldest first.
///
/// ```no_run
/// # fn example(cluster: std::sync::Arc<dyn app::ports::Cluster>) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use app::pace::Batch;
///
/// let changes = Batch::new(cluster, "view:myApp:stock:changed".parse()?, Duration::from_millis(500));
/// changes.push(serde_json::json!({ "article": 7, "stock": 3 }));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Batch {
    shared: Arc<Outlet>,
    within: Duration,
    gathered: Arc<Mutex<Gathered>>,
    is_full: Arc<Notify>,
}

/// Where broadcasts go.
struct Outlet {
    cluster: Arc<dyn Cluster>,
    channel: Channel,
}

#[derive(Default)]
struct Latest {
    waiting: Option<Payload>,
    /// Nothing may go out before.
    free_at: Option<Instant>,
    /// A task sends what waits.
    is_due: bool,
}

#[derive(Default)]
struct Gathered {
    changes: Vec<Value>,
    /// A task sends them.
    is_due: bool,
}

impl Outlet {
    async fn announce(&self, payload: Payload) {
        self.cluster.announce(&self.channel, payload, Publisher::default()).await;
    }
}

impl Throttle {
    /// One broadcast in `every` at most.
    pub fn new(cluster: Arc<dyn Cluster>, channel: Channel, every: Duration) -> Self {
        Self { shared: Arc::new(Outlet { cluster, channel }), every, latest: Arc::default() }
    }

    /// Publishes now or when the interval is over; a value that still waits is replaced. Returns at
    /// once. Must be called within the server's runtime.
    pub fn publish(&self, payload: Payload) {
        {
            let mut latest = lock(&self.latest);
            latest.waiting = Some(payload);
            if mem::replace(&mut latest.is_due, true) {
                return;
            }
        }
        let this = self.clone();
        tokio::spawn(async move {
            while let Some(free_at) = this.next_turn() {
                sleep_until(free_at).await;
                let payload = {
                    let mut latest = lock(&this.latest);
                    latest.free_at = Some(Instant::now() + this.every);
                    latest.waiting.take()
                };
                if let Some(payload) = payload {
                    this.shared.announce(payload).await;
                }
            }
        });
    }

    /// When what waits may go out; `None` when nothing waits, which ends the task.
    fn next_turn(&self) -> Option<Instant> {
        let mut latest = lock(&self.latest);
        latest.is_due = latest.waiting.is_some();
        latest.is_due.then(|| latest.free_at.unwrap_or_else(Instant::now))
    }
}

impl Batch {
    /// What gathers `within` this time goes out together.
    pub fn new(cluster: Arc<dyn Cluster>, channel: Channel, within: Duration) -> Self {
        Self {
            shared: Arc::new(Outlet { cluster, channel }),
            within,
            gathered: Arc::default(),
            is_full: Arc::default(),
        }
    }

    /// Adds a change. Returns at once. Must be called within the server's runtime.
    pub fn push(&self, change: Value) {
        {
            let mut gathered = lock(&self.gathered);
            gathered.changes.push(change);
            if gathered.changes.len() >= CHANGES_TOGETHER {
                self.is_full.notify_one();
            }
            if mem::replace(&mut gathered.is_due, true) {
                return;
            }
        }
        let this = self.clone();
        tokio::spawn(async move {
            // Whether it got full or the time is over is all one.
            let _ = timeout(this.within, this.is_full.notified()).await;
            while let Some(changes) = this.take() {
                for together in changes.chunks(CHANGES_TOGETHER) {
                    if let Value::Object(payload) = json!({ "changes": together }) {
                        this.shared.announce(payload).await;
                    }
                }
            }
        });
    }

    /// What has gathered; `None` when nothing has, which ends the task.
    fn take(&self) -> Option<Vec<Value>> {
        let mut gathered = lock(&self.gathered);
        gathered.is_due = !gathered.changes.is_empty();
        gathered.is_due.then(|| mem::take(&mut gathered.changes))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
