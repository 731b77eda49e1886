//! Configuration in three levels: this instance's memory, Redis, the store.
//!
//! A read takes the first level that has the value and fills those before it; many reads that miss at once
//! read once. A write goes to the store, to Redis ([`remote`]), into this memory, and is then told to every
//! instance ([`follow`]), whose memory is stale from there on. What an instance did not hear it reads anew
//! when its link is back, or when its memory's time is over, whichever is first. A value never goes back to
//! an older version; a value that is stale is better than none while neither Redis nor the store answers.

mod follow;
mod memory;
mod remote;
mod write;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use app::ports::StoreError;
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    bus::{Keys, TopicInbox, Topics},
    config::CacheConfig,
    hub::Hub,
    metrics::CacheReads,
    store::{ConfigDocument, ConfigDocuments, ConfigName},
};
use memory::Memory;
use remote::{Remote, RemoteValue};
use write::Unwritten;

pub use remote::FAMILY;
pub use write::ConfigChange;

/// Values in memory at most; beyond, those used least are forgotten.
const VALUES: usize = 10_000;
/// How long a feature flag in memory is as good as new.
const FLAG_FRESH_FOR: Duration = Duration::from_mins(1);
/// How long it is known that there is no value, at most.
const ABSENT_FOR: Duration = Duration::from_secs(30);
/// How long the last known value does, before Redis and the store are asked again.
const LAST_KNOWN_FOR: Duration = Duration::from_secs(2);
/// The collection of feature flags.
pub const FEATURES: &str = "features";
/// The collection when none is named.
pub const DEFAULT_COLLECTION: &str = "config";

/// The configuration as one instance has it. Cheap to clone.
///
/// ```no_run
/// # async fn example(cache: &server::config_cache::ConfigCache) -> Result<(), Box<dyn std::error::Error>> {
/// use serde_json::json;
/// use server::store::ConfigName;
///
/// let name = ConfigName::parse("config", "api:rate_limit")?;
/// cache.put(&name, json!(100), None).await?;
/// let value = cache.get(&name).await?.map(|document| document.value.clone());
/// assert_eq!(value, Some(json!(100)));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ConfigCache {
    shared: Arc<Shared>,
}

/// Called when all is to be read anew, with the name of what said so, if it had one.
type OnRefresh = Arc<dyn Fn(Option<&Arc<str>>) + Send + Sync>;
/// Called with each change made on this instance, once it is made.
type OnChange = Arc<dyn Fn(&ConfigChange) + Send + Sync>;

struct Shared {
    memory: Memory<Held>,
    remote: Option<Remote>,
    store: Arc<dyn ConfigDocuments>,
    hub: Hub,
    /// How long a value in memory is as good as new.
    fresh_for: Duration,
    unwritten: Mutex<Unwritten>,
    on_refresh: Mutex<Vec<OnRefresh>>,
    on_change: Mutex<Vec<OnChange>>,
    reads: [AtomicU64; 4],
    /// How often anything was doubted.
    doubts: AtomicU64,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What memory holds of one name.
#[derive(Debug)]
struct Held {
    /// `None`: there is no value.
    document: Option<Arc<ConfigDocument>>,
    /// Why nobody could tell, the last time.
    failure: Option<Arc<StoreError>>,
    fresh_until: Instant,
}

/// Where a read found its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// This instance's memory.
    Memory,
    /// Redis.
    Redis,
    /// The store.
    Store,
    /// Memory past its time, because neither Redis nor the store answers.
    LastKnown,
}

/// What a read found, and where.
#[derive(Clone, Debug)]
pub struct Found {
    /// `None`: there is no value.
    pub document: Option<Arc<ConfigDocument>>,
    /// The level that answered.
    pub level: Level,
}

impl ConfigCache {
    /// Starts hearing what other instances change, on `topics` of [`FAMILY`], and reads ahead what is
    /// configured.
    pub fn start(
        config: &CacheConfig,
        keys: Option<Keys>,
        (topics, inbox): (Topics, TopicInbox),
        store: Arc<dyn ConfigDocuments>,
        hub: Hub,
    ) -> Self {
        let shared = Arc::new(Shared {
            memory: Memory::new(VALUES),
            remote: keys.map(|keys| Remote::new(keys, topics)),
            store,
            hub,
            fresh_for: config.fresh_for(),
            unwritten: Mutex::default(),
            on_refresh: Mutex::default(),
            on_change: Mutex::default(),
            reads: Default::default(),
            doubts: AtomicU64::new(0),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        let cache = Self { shared };
        cache.spawn(follow::refreshes(cache.clone()));
        // Before anything is heard, so that no change of it is passed over.
        let link = cache.shared.hub.link();
        cache.spawn(follow::link(cache.clone(), link));
        cache.spawn(follow::changes(cache.clone(), inbox, config.warm_up()));
        cache.shared.tasks.close();
        cache
    }

    /// A value; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When it is not in memory, and neither Redis nor the store answers.
    pub async fn get(&self, name: &ConfigName) -> Result<Option<Arc<ConfigDocument>>, StoreError> {
        self.find(name).await.map(|found| found.document)
    }

    /// The same, with the level that answered.
    ///
    /// # Errors
    ///
    /// As [`ConfigCache::get`].
    pub async fn find(&self, name: &ConfigName) -> Result<Found, StoreError> {
        if let Some(held) = self.shared.memory.get(name)
            && held.is_fresh()
        {
            return self.shared.found(Level::Memory, &held);
        }
        let _turn = self.shared.memory.turn(name).await;
        let held = self.shared.memory.get(name);
        if let Some(held) = held.as_ref().filter(|held| held.is_fresh()) {
            // Somebody else asked for the same, and was quicker.
            return self.shared.found(Level::Memory, held);
        }
        // Apart, so that a read from memory carries none of what a load needs.
        let (level, loaded) = Box::pin(self.shared.load(name, held)).await;
        let loaded = Arc::new(loaded);
        self.shared.memory.put(name, Arc::clone(&loaded));
        self.shared.found(level, &loaded)
    }

    /// Whether a feature is switched on: not when nobody ever set it, nor while nobody can tell.
    pub async fn is_enabled(&self, feature: &str) -> bool {
        let Some(name) = feature_name(feature) else { return false };
        let found = self.get(&name).await.unwrap_or_else(|error| {
            tracing::warn!(%error, feature, "a feature counts as switched off: nobody can tell");
            None
        });
        found.is_some_and(|document| document.value["enabled"] == true)
    }

    /// Calls `handler` whenever all configuration is to be read anew, on every instance. It must not block.
    pub fn on_refresh(&self, handler: impl Fn() + Send + Sync + 'static) {
        self.on_refresh_by(move |_| handler());
    }

    /// The same with the name of the refresh, which is one on all instances; `None` when it was not heard.
    pub(crate) fn on_refresh_by(&self, handler: impl Fn(Option<&Arc<str>>) + Send + Sync + 'static) {
        self.shared.on_refresh.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(handler));
    }

    /// Calls `handler` with each change that is made through this instance. It must not block.
    pub fn on_change(&self, handler: impl Fn(&ConfigChange) + Send + Sync + 'static) {
        self.shared.on_change.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(handler));
    }

    /// How many reads each level answered.
    pub fn reads(&self) -> CacheReads {
        let [memory, redis, store, last_known] = [0, 1, 2, 3].map(|level| self.shared.reads[level].load(Relaxed));
        CacheReads { memory, redis, store, last_known }
    }

    /// Every document of a collection, straight from the store.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn list(&self, collection: &str) -> Result<Vec<ConfigDocument>, StoreError> {
        const LISTED: usize = 1_000;
        self.shared.store.list(collection, LISTED).await
    }

    /// Stops hearing.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.wait().await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.shared.tasks.spawn(self.shared.stop.clone().run_until_cancelled_owned(task));
    }
}

impl Shared {
    /// Reads from Redis, else from the store; `held` is what memory had.
    async fn load(&self, name: &ConfigName, held: Option<Arc<Held>>) -> (Level, Held) {
        let known = held.as_ref().and_then(|held| held.document.as_ref());
        let mut to_fill = self.remote.as_ref();
        if let Some(remote) = &self.remote
            && let Ok(found) = remote.get(name).await
        {
            let found = match found {
                RemoteValue::Document(found) => Some(Some(found)),
                RemoteValue::Absent => Some(None),
                RemoteValue::Nothing => None,
                RemoteValue::Undated => {
                    to_fill = None;
                    None
                }
            };
            if let Some(found) = found
                && known.is_none_or(|known| found.as_ref().is_some_and(|found| found.updated_at >= known.updated_at))
            {
                return (Level::Redis, self.fresh(name, found.map(Arc::new)));
            }
        }
        match self.store.get(name).await {
            Ok(found) => {
                if let Some(remote) = to_fill {
                    remote.fill(name, found.as_ref()).await;
                }
                (Level::Store, self.fresh(name, found.map(Arc::new)))
            }
            Err(error) => {
                let fresh_until = Instant::now() + LAST_KNOWN_FOR;
                let Some(held) = held.filter(|held| held.failure.is_none()) else {
                    // Everybody who waits for it gets this answer: nobody asks a store that hangs in turn.
                    return (Level::Store, Held { document: None, failure: Some(Arc::new(error)), fresh_until });
                };
                tracing::warn!(%error, key = name.key(), "the last known configuration must do");
                (Level::LastKnown, Held { document: held.document.clone(), failure: None, fresh_until })
            }
        }
    }

    /// From now on memory must be asked for no longer than it takes to read it anew.
    async fn doubt(&self, name: &ConfigName) {
        self.doubts.fetch_add(1, Relaxed);
        if !self.memory.knows(name) {
            return;
        }
        // Behind a read that is under way: what it finds may be old already.
        let _turn = self.memory.turn(name).await;
        if let Some(held) = self.memory.get(name) {
            self.memory.put(name, Arc::new(held.stale()));
        }
    }

    async fn doubt_all(&self) {
        for name in self.memory.names() {
            self.doubt(&name).await;
        }
    }

    /// What was just read or written.
    fn fresh(&self, name: &ConfigName, document: Option<Arc<ConfigDocument>>) -> Held {
        let most = match document {
            None => ABSENT_FOR,
            Some(_) if name.collection() == FEATURES => FLAG_FRESH_FOR,
            Some(_) => self.fresh_for,
        };
        Held { document, failure: None, fresh_until: Instant::now() + most.min(self.fresh_for) }
    }

    /// What a read is answered; counted.
    fn found(&self, level: Level, held: &Held) -> Result<Found, StoreError> {
        let document = held.outcome();
        // A store that does not answer has not answered; a failure in memory has.
        if document.is_ok() || level == Level::Memory {
            self.reads[level as usize].fetch_add(1, Relaxed);
        }
        document.map(|document| Found { document, level })
    }
}

impl Held {
    fn stale(&self) -> Self {
        Self { document: self.document.clone(), failure: self.failure.clone(), fresh_until: Instant::now() }
    }

    fn outcome(&self) -> Result<Option<Arc<ConfigDocument>>, StoreError> {
        match &self.failure {
            Some(failure) => Err(StoreError::Unavailable(Box::new(Arc::clone(failure)))),
            None => Ok(self.document.clone()),
        }
    }

    fn is_fresh(&self) -> bool {
        Instant::now() < self.fresh_until
    }
}

/// The document of a feature flag; `None` when there could be no such feature.
pub fn feature_name(feature: &str) -> Option<ConfigName> {
    ConfigName::parse(FEATURES, &format!("feature:{feature}")).ok()
}
