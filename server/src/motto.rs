//! The motto of the day: [`app::ports::Mottos`].
//!
//! It is configuration like any other. What is more is that its spreading is watched: the instance that wrote a
//! version asks all others for it, and each answers when its own cache has it. Pages are told at once that
//! there is a new version, and a moment later when each instance had it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use app::{
    motto::{CHANGED, CacheLevel, Motto, MottoNews, MottoReach, MottoReading, REACHED, Reached},
    ports::{SaveMottoError, StoreError},
};
use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{Channel, Message, Pattern, Position, Since};

use crate::{
    clock::rfc3339,
    config_cache::{ConfigCache, DEFAULT_COLLECTION, Level},
    hub::{Batch, Draft, Hub, Listener, Omit},
    metrics::Metrics,
    store::{ConfigName, WriteError},
    throttle::{Quota, Scope, Throttle},
};

/// Its key.
const KEY: &str = "demo:motto";
/// Mottos that all visitors together may write in [`WRITTEN_IN`].
const WRITTEN: u32 = 30;
const WRITTEN_IN: Duration = Duration::from_secs(30);
/// Where a version is asked for, and where instances say that they have it.
const ASKED: &str = "controller:patterns:motto:asked";
const HAD: &str = "controller:patterns:motto:had";
/// How long the answers are waited for, and how long an instance looks for a version.
const WITHIN: Duration = Duration::from_secs(1);
/// Pause before an instance looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Versions whose spreading is watched at once, and questions that wait; more go unanswered.
const WATCHED: usize = 32;

/// What pages know of the motto. Ends with [`MottoPort::stop`].
pub struct MottoPort {
    shared: Arc<Shared>,
    throttle: Throttle,
    tasks: TaskTracker,
    stop: CancellationToken,
}

struct Shared {
    cache: ConfigCache,
    hub: Hub,
    metrics: Metrics,
    /// Who waits for answers, by version.
    watches: Mutex<HashMap<u64, mpsc::Sender<Answer>>>,
}

/// An instance has a version.
struct Answer {
    instance_id: String,
    level: CacheLevel,
    at: Instant,
}

impl MottoPort {
    /// Starts to answer for this instance.
    pub fn start(cache: ConfigCache, hub: Hub, metrics: Metrics, throttle: Throttle) -> Self {
        let shared = Arc::new(Shared { cache, hub, metrics, watches: Mutex::default() });
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let (work, waiting) = mpsc::channel(WATCHED);
        tasks.spawn(stop.clone().run_until_cancelled_owned(listen(Arc::clone(&shared), work)));
        tasks.spawn(stop.clone().run_until_cancelled_owned(answer(Arc::clone(&shared), waiting)));
        tasks.close();
        Self { shared, throttle, tasks, stop }
    }

    /// Stops.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

#[async_trait]
impl app::ports::Mottos for MottoPort {
    async fn read(&self) -> Result<MottoReading, StoreError> {
        let found = self.shared.cache.find(&name()?).await?;
        let instance_id = self.shared.hub.instance_id().to_string();
        let level = Some(level(found.level));
        let Some(document) = found.document else {
            return Ok(MottoReading { instance_id, level, ..MottoReading::default() });
        };
        Ok(MottoReading {
            // What an administrator wrote there may be no motto.
            text: document.value.as_str().and_then(Motto::parse).map_or_else(String::new, |it| it.as_str().to_owned()),
            version: document.version,
            changed_at: rfc3339(document.updated_at),
            instance_id,
            level,
        })
    }

    async fn save(&self, motto: &Motto) -> Result<(), SaveMottoError> {
        let quota = Quota::per(WRITTEN_IN, WRITTEN);
        self.throttle.take(Scope::Motto, "all", quota).await.map_err(|_| SaveMottoError::TooOften)?;
        let began = Instant::now();
        let written = self.shared.cache.put(&name()?, json!(motto.as_str()), None).await;
        let version = match written {
            Ok(document) => document.version,
            Err(WriteError::Store(error)) => return Err(error.into()),
            Err(WriteError::Conflict(version)) => {
                return Err(StoreError::Unavailable(format!("version {version}").into()).into());
            }
        };
        let shared = Arc::clone(&self.shared);
        let watching = async move {
            shared.publish(CHANGED.channel(), &MottoNews { version }).await;
            shared.watch(version, began).await;
        };
        self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(watching));
        Ok(())
    }
}

impl Shared {
    /// Waits until every instance has a version, and tells pages when each had it.
    async fn watch(&self, version: u64, began: Instant) {
        let mut silent: Vec<String> =
            self.metrics.instances().await.into_iter().map(|record| record.instance_id).collect();
        let (answered, mut answers) = mpsc::channel(silent.len().max(1));
        {
            let mut watches = self.watches();
            if watches.len() >= WATCHED {
                return;
            }
            watches.insert(version, answered);
        }
        if let Ok(channel) = Channel::parse(ASKED) {
            self.publish(channel, &MottoNews { version }).await;
        }
        let until = tokio::time::Instant::now() + WITHIN;
        let mut instances: Vec<Reached> = Vec::with_capacity(silent.len());
        while !silent.is_empty()
            && let Ok(Some(Answer { instance_id, level, at })) = timeout_at(until, answers.recv()).await
        {
            silent.retain(|waited| *waited != instance_id);
            let after_ms = at.saturating_duration_since(began).as_secs_f64() * 1_000.0;
            instances.push(Reached { instance_id, level, after_ms });
        }
        self.watches().remove(&version);
        self.publish(REACHED.channel(), &MottoReach { version, instances, silent }).await;
    }

    /// Out of which level this instance has a version, once it has it.
    async fn had(&self, version: u64) -> Option<CacheLevel> {
        let name = name().ok()?;
        let look = async {
            loop {
                if let Ok(found) = self.cache.find(&name).await
                    && found.document.is_some_and(|document| document.version >= version)
                {
                    return level(found.level);
                }
                sleep(LOOK_AGAIN).await;
            }
        };
        timeout(WITHIN, look).await.ok()
    }

    async fn publish(&self, channel: Channel, payload: &impl Serialize) {
        let Ok(Value::Object(payload)) = serde_json::to_value(payload) else { return };
        let draft = Draft { channel, payload, uuid: None, username: String::new(), saved: None };
        if let Err(error) = self.hub.publish(draft).await {
            tracing::debug!(%error, "the way of a motto was not told");
        }
    }

    fn watches(&self) -> MutexGuard<'_, HashMap<u64, mpsc::Sender<Answer>>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(shared: Arc<Shared>, mut waiting: mpsc::Receiver<u64>) {
    while let Some(version) = waiting.recv().await {
        if let (Some(level), Ok(channel)) = (shared.had(version).await, Channel::parse(HAD)) {
            shared.publish(channel, &json!({ "version": version, "level": level })).await;
        }
    }
}

async fn listen(shared: Arc<Shared>, work: mpsc::Sender<u64>) {
    let ear = Arc::new(Ear { shared: Arc::clone(&shared), work });
    let mut joined = Vec::new();
    for pattern in [ASKED, HAD].into_iter().filter_map(|name| Pattern::parse(name).ok()) {
        let listener: Arc<dyn Listener> = ear.clone();
        joined.push(shared.hub.subscribe(&pattern, Omit::Nothing, Since::Now, listener).await);
    }
    std::future::pending::<()>().await;
}

struct Ear {
    shared: Arc<Shared>,
    work: mpsc::Sender<u64>,
}

impl Listener for Ear {
    fn deliver(&self, batch: &Batch) {
        for delivery in batch.deliveries() {
            let message = &delivery.message;
            let Some(version) = message.data.get("version").and_then(Value::as_u64) else { continue };
            if message.channel.as_str() == ASKED {
                // When too many are asked for, this instance counts as silent.
                let _ = self.work.try_send(version);
            } else {
                self.heard(version, message);
            }
        }
    }

    /// An answer that is lost makes its instance silent.
    fn lost(&self, _: &Channel, _: Option<&Position>) {}
}

impl Ear {
    fn heard(&self, version: u64, message: &Message) {
        let Some(waiting) = self.shared.watches().get(&version).cloned() else { return };
        let level = message.data.get("level").cloned().and_then(|level| serde_json::from_value(level).ok());
        if let Some(level) = level {
            let answer = Answer { instance_id: message.instance_id.to_string(), level, at: Instant::now() };
            // Whoever waited has enough.
            let _ = waiting.try_send(answer);
        }
    }
}

fn name() -> Result<ConfigName, StoreError> {
    ConfigName::parse(DEFAULT_COLLECTION, KEY).map_err(|_| StoreError::InvalidId)
}

fn level(level: Level) -> CacheLevel {
    match level {
        Level::Memory => CacheLevel::Memory,
        Level::Redis => CacheLevel::Redis,
        Level::Store => CacheLevel::Store,
        Level::LastKnown => CacheLevel::LastKnown,
    }
}
