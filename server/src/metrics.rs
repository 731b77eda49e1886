//! What this instance measures, what all instances report, and what that makes together.
//!
//! Every instance writes a [`Record`] of itself into Redis every few seconds ([`collect`]), which expires
//! when nobody renews it. Whoever asks any instance gets the records of all ([`gather`]) put together
//! ([`report`]). Without Redis there is one record, and the answer has the same shape.
//!
//! Hub and relay count by themselves while messages pass; nothing here stands in their way.

mod collect;
mod custom;
mod errors;
mod gather;
mod host;
mod namespaces;
mod prometheus;
mod record;
pub mod report;
mod requests;
mod site;
mod totals;

use std::{
    collections::{HashMap, VecDeque},
    panic::Location,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    bus::{Keys, Link},
    clock::now_milliseconds,
    hub::{Hub, LAYERS, OutageCause},
    relay::Relay,
    session::Sessions,
    store::{Store, StoreFacts},
};
use custom::Custom;
use errors::Errors;
use host::Host;
use namespaces::RelayNamespace;
use requests::Requests;

pub use custom::{Measured, MetricError, Rule};
pub use errors::{ErrorContext, RecordedError};
pub use gather::RequestCounts;
pub use namespaces::{Lately, Namespace, Namespaces, Status};
pub use prometheus::CacheReads;
pub use record::{Connections, Cpu, Memory, Point, Process, Record, Server, Traffic};
pub use site::Site;
pub use totals::Totals;

/// The span of a rate.
const MINUTE: Duration = Duration::from_mins(1);

/// The measurements of one instance. Cheap to clone.
///
/// ```
/// # fn example(metrics: &server::metrics::Metrics) -> Result<(), server::metrics::MetricError> {
/// use server::metrics::Rule;
///
/// metrics.increment("orders")?;
/// // The fullest instance is what matters.
/// metrics.register("queue.length", Rule::Max, || 7.0)?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Metrics {
    shared: Arc<Shared>,
}

/// What does not change while the instance runs.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The host's name; empty asks the operating system.
    pub hostname: String,
    /// `dev` or `prod`.
    pub environment: &'static str,
    /// Where the instance listens.
    pub port: u16,
    /// How often it reports.
    pub report_every: Duration,
    /// How often the instance was started again, see [`crate::restarts`].
    pub restarts: u64,
}

/// What is measured.
pub struct Sources {
    /// Where reports go; `None` without Redis.
    pub keys: Option<Keys>,
    /// For broadcasts.
    pub hub: Hub,
    /// For sockets.
    pub relay: Relay,
    /// For its server's state.
    pub store: Arc<Store>,
    /// For how many there are.
    pub sessions: Sessions,
    /// When the instance started.
    pub started_at: Instant,
}

struct Shared {
    about: About,
    sources: Sources,
    host: Host,
    custom: Custom,
    requests: Requests,
    errors: Errors,
    namespaces: Mutex<Vec<Arc<dyn Namespaces>>>,
    /// What each endpoint had counted, at most a minute ago.
    counted: Mutex<HashMap<String, VecDeque<(Instant, u64)>>>,
    store: Mutex<StoreFacts>,
    site: Mutex<Site>,
    redis_micros: AtomicU64,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Metrics {
    /// Starts reporting.
    pub fn start(about: About, sources: Sources) -> Self {
        let relay = RelayNamespace { relay: sources.relay.clone(), hub: sources.hub.clone(), slow: Lately::default() };
        let shared = Arc::new(Shared {
            host: Host::new(&about.hostname),
            about,
            sources,
            custom: Custom::default(),
            requests: Requests::default(),
            errors: Errors::default(),
            namespaces: Mutex::new(vec![Arc::new(relay)]),
            counted: Mutex::default(),
            store: Mutex::default(),
            site: Mutex::default(),
            redis_micros: AtomicU64::new(0),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        shared.tasks.spawn(collect::run(Arc::clone(&shared)));
        let looking = Arc::clone(&shared);
        shared.tasks.spawn(async move {
            looking.stop.run_until_cancelled(site::run(&looking)).await;
        });
        shared.tasks.close();
        Self { shared }
    }

    /// Counts one more of something: cluster-wide the sum of all instances.
    ///
    /// # Errors
    ///
    /// When it is no name of a counter, or there are too many.
    pub fn increment(&self, name: &str) -> Result<(), MetricError> {
        self.add(name, 1)
    }

    /// Counts several more.
    ///
    /// # Errors
    ///
    /// As [`Metrics::increment`].
    pub fn add(&self, name: &str, count: u64) -> Result<(), MetricError> {
        self.shared.custom.increment(name, count)
    }

    /// Reports what `gauge` says, with what it makes together with the other instances'. It must not block.
    ///
    /// # Errors
    ///
    /// When it is no name, another metric has it, or there are too many.
    pub fn register(
        &self,
        name: &str,
        rule: Rule,
        gauge: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Result<(), MetricError> {
        self.shared.custom.register(name, rule, Arc::new(gauge))
    }

    /// Reports these endpoints too.
    pub fn register_namespaces(&self, namespaces: Arc<dyn Namespaces>) {
        self.shared.namespaces().push(namespaces);
    }

    /// Keeps an error for administrators of every instance. `message` and `context` must hold nothing private.
    #[track_caller]
    pub fn track_error(&self, message: impl Into<String>, context: ErrorContext) {
        let message = message.into();
        let stack = format!("{message}\n    at {}", Location::caller());
        self.track_error_at(message, Some(stack), context);
    }

    /// The same with the place it comes from: lines such as `at server/src/http/todos.rs:57:12`, nothing private.
    pub fn track_error_at(&self, message: impl Into<String>, stack: Option<String>, context: ErrorContext) {
        self.shared.errors.add(RecordedError {
            message: message.into(),
            stack,
            instance_id: self.shared.id().to_owned(),
            timestamp: now_milliseconds(),
            context,
        });
    }

    /// A request is being answered until this is dropped.
    pub fn begin_request(&self) -> requests::UnderWay<'_> {
        self.shared.requests.begin()
    }

    /// Counts a request that was answered. `route` is its template, never the path that was asked for.
    pub fn count_request(&self, route: &str, status: u16, took: Duration) {
        self.shared.requests.count(route, status, took);
    }

    /// This instance now.
    pub fn record(&self) -> Record {
        self.shared.record()
    }

    /// WebSockets and event streams of this instance.
    pub fn connections(&self) -> u64 {
        let sources = self.shared.namespaces().clone();
        sources.iter().flat_map(|source| source.namespaces()).map(|namespace| namespace.connections).sum()
    }

    /// Reports this instance as it is now, without waiting for the next time; others see it at once.
    pub async fn report(&self) {
        let Some(keys) = self.shared.keys() else { return };
        // Not any more once it is withdrawn.
        if let Some(Err(error)) = self.shared.stop.run_until_cancelled(self.shared.write_record(keys)).await {
            tracing::debug!(%error, "the record was not written; it is next time");
        }
    }

    /// Takes this instance out of what all see, at once; nothing is reported any more.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.wait().await;
        self.shared.withdraw().await;
    }
}

impl Shared {
    fn id(&self) -> &str {
        self.sources.hub.instance_id()
    }

    /// Redis, while it is linked.
    fn keys(&self) -> Option<&Keys> {
        self.sources.keys.as_ref().filter(|keys| keys.is_up())
    }

    fn namespaces(&self) -> MutexGuard<'_, Vec<Arc<dyn Namespaces>>> {
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every endpoint of this instance, with its rate.
    fn endpoints(&self) -> Vec<Namespace> {
        let sources = self.namespaces().clone();
        let mut endpoints: Vec<Namespace> = sources.iter().flat_map(|source| source.namespaces()).collect();
        let now = Instant::now();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.retain(|path, _| endpoints.iter().any(|endpoint| endpoint.path == *path));
        for endpoint in &mut endpoints {
            let seen = counted.entry(endpoint.path.clone()).or_default();
            while seen.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > MINUTE) {
                seen.pop_front();
            }
            // One for each second of the minute is enough.
            if seen.back().is_none_or(|(at, _)| now.saturating_duration_since(*at) >= Duration::from_secs(1)) {
                seen.push_back((now, endpoint.messages));
            }
            let before = seen.front().map_or(endpoint.messages, |(_, count)| *count);
            endpoint.messages_per_minute = endpoint.messages.saturating_sub(before);
        }
        endpoints
    }

    fn record(&self) -> Record {
        let facts = self.host.facts();
        let (hub, relay) = (self.sources.hub.stats(), self.sources.relay.stats());
        let (under_way, requests, failures) = self.requests.totals();
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let namespaces = self.endpoints();
        let link = *self.sources.hub.link().borrow();
        let view = LAYERS.iter().position(|layer| *layer == wire::Layer::View).map(|layer| hub.latency[layer]);
        let quantile = |part| view.map_or(0, |view| if view.count() == 0 { 0 } else { view.quantile(part) });
        Record {
            instance_id: self.id().to_owned(),
            server_id: crate::identity::hostname_numeric(self.host.name()).to_owned(),
            timestamp: now_milliseconds(),
            uptime: self.sources.started_at.elapsed().as_secs(),
            memory: facts.memory,
            cpu: facts.cpu,
            connections: Connections {
                websocket: namespaces.iter().map(|namespace| namespace.connections).sum(),
                http: under_way,
            },
            server: Server {
                name: self.host.name().to_owned(),
                platform: std::env::consts::OS.to_owned(),
                arch: host::arch().to_owned(),
                cpus: std::thread::available_parallelism().map_or(0, |cpus| cpus.get() as u64),
                free_memory: facts.free_memory,
                total_memory: facts.total_memory,
                mongodb: store.server,
            },
            process: Process {
                pid: std::process::id(),
                ppid: facts.ppid,
                status: if self.stop.is_cancelled() { "stopping" } else { "online" }.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                release: option_env!("JPULSE_RELEASE").unwrap_or(env!("CARGO_PKG_VERSION")).to_owned(),
                environment: self.about.environment.to_owned(),
                port: self.about.port,
                restarts: self.about.restarts,
                store: self.sources.store.mode().to_owned(),
                is_store_well: store.is_well,
                database: store.database,
                link: match link {
                    Link::Local => "local",
                    Link::Up => "up",
                    Link::Down => "down",
                }
                .to_owned(),
                outage: self.sources.hub.outage(link).map(OutageCause::as_str).unwrap_or_default().to_owned(),
                redis_micros: self.redis_micros.load(Relaxed),
            },
            namespaces,
            traffic: Traffic {
                published: hub.published,
                delivered: hub.delivered,
                gaps: hub.gaps,
                replayed: hub.replayed,
                dropped: hub.dropped,
                slow_sockets: relay.overflowed + relay.overflowed_elsewhere,
                outbox: hub.outbox,
                latency_p50: quantile(0.5),
                latency_p99: quantile(0.99),
                requests,
                failures,
            },
            site: *self.site.lock().unwrap_or_else(PoisonError::into_inner),
            custom: self.custom.measure(),
        }
    }
}
