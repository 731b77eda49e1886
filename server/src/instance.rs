//! One instance from its start to its stop, in an order in which everything finds what it needs.

use std::{
    future::Future,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use app::ports::Ports;
use axum::Router;
use leptos::config::{Env, LeptosOptions};
use thiserror::Error;
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    bus::{Buckets, Bus, BusError, Inbox, MemoryBus, RedisBus},
    cluster::ClusterPort,
    config::{Config, RedisMode},
    http::{self, Backends, Site},
    hub::{Hub, OutboxLimits},
    identity,
    relay::Relay,
    store::{OpenError, Store},
    teller::Teller,
    throttle::Throttle,
};

/// How long the start waits for Redis, so that the instance can claim its name.
const REDIS_WITHIN: Duration = Duration::from_secs(2);

/// An instance that listens but does not answer yet.
pub struct Instance {
    listener: TcpListener,
    router: Router,
    config: Config,
    site: Site,
    teller: Teller,
    bus: Arc<dyn Bus>,
}

/// Why an instance does not start; each is one line that names the cause.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}; set PORT to a free port")]
    Listen {
        /// What was tried.
        address: SocketAddr,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Redis cannot be reached the way it is set up.
    #[error("configuration: redis: {0}")]
    Redis(#[from] BusError),
    /// The site's files are not where they should be.
    #[error("there is no site in {}: build it with `make build` or set LEPTOS_SITE_ROOT", .0.display())]
    Site(PathBuf),
}

impl Instance {
    /// Opens the store, the bus and the port, in this order.
    ///
    /// # Errors
    ///
    /// When the store cannot be opened or the port is taken. A missing Redis or MongoDB is no error.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        let started_at = Instant::now();
        let address = SocketAddr::new(config.server.host, config.server.port);
        let listener = TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
        let store = Arc::new(open_store(&config).await?);
        let redis_mode = config.redis.effective_mode();
        let (bus, inbox, buckets) = start_bus(&config, redis_mode)?;
        let instance_id = claim(&*bus, &config).await;
        let fallback = &config.redis.fallback;
        let limits = OutboxLimits { messages: fallback.outbox_messages, bytes: fallback.outbox_bytes };
        let hub = Hub::start(Arc::clone(&bus), inbox, instance_id, limits, &config.channels);
        let relay = Relay::start(hub.clone(), config.limits.clone());
        let teller = Teller::start(store.outbox(), hub.clone());
        let cluster = ClusterPort::start(hub.clone(), relay.clone(), redis_mode, started_at);
        let ports = Ports { cluster: Arc::new(cluster), todos: store.todos() };
        let leptos = leptos_options(&config)?;
        let backends = Backends { redis: redis_mode, mode: config.site.mode };
        let throttle = Throttle::new(buckets);
        let site = Site { ports, hub, relay, store, backends, leptos, throttle, started_at };
        let router = http::router(site.clone(), &config);
        Ok(Self { listener, router, config, site, teller, bus })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// When the operating system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The claimed name of this instance.
    pub fn id(&self) -> &str {
        self.site.hub.instance_id()
    }

    /// What pages use, for server code of a site owner that runs beside them.
    pub fn ports(&self) -> &Ports {
        &self.site.ports
    }

    /// Answers until `shutdown` completes; then lets browsers go elsewhere, finishes what is under way
    /// and closes everything in the order opposite to the start.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) {
        let Self { listener, router, config, site, teller, bus } = self;
        let (hub, relay, store) = (site.hub.clone(), site.relay.clone(), Arc::clone(&site.store));
        let stop = CancellationToken::new();
        let slots = http::Slots::new(&config);
        let serving = tokio::spawn(http::serve(listener, router, slots, stop.clone()));
        shutdown.await;
        tracing::info!("stopping");
        stop.cancel();
        let stopped = timeout(config.server.shutdown_within(), async {
            relay.stop().await;
            if serving.await.is_err() {
                tracing::error!("serving ended before its time");
            }
            teller.stop().await;
            hub.stop().await;
            bus.close().await;
            store.close().await;
        });
        if stopped.await.is_err() {
            tracing::warn!("stopped with connections still open");
        }
    }
}

async fn open_store(config: &Config) -> Result<Store, OpenError> {
    if config.mongodb.uri.is_empty() {
        Store::embedded(&config.server.data_dir).await
    } else {
        Store::mongo(&config.mongodb.uri).await
    }
}

/// The bus, its inbox, and what counts for all instances together, where there are others.
type StartedBus = (Arc<dyn Bus>, Inbox, Option<Arc<dyn Buckets>>);

fn start_bus(config: &Config, mode: RedisMode) -> Result<StartedBus, BusError> {
    if mode == RedisMode::None {
        let (bus, inbox) = MemoryBus::new();
        return Ok((bus, inbox, None));
    }
    let (bus, inbox) = RedisBus::start(&config.redis, config.site.prefix())?;
    let buckets: Arc<dyn Buckets> = bus.clone();
    Ok((bus, inbox, Some(buckets)))
}

/// Waits a moment for the link, so that the name can be claimed.
async fn claim(bus: &dyn Bus, config: &Config) -> Arc<str> {
    let id = identity::instance_id(&config.site);
    let mut link = bus.link();
    let is_linked = link.wait_for(|link| *link != crate::bus::Link::Down);
    if timeout(REDIS_WITHIN, is_linked).await.is_err() {
        tracing::warn!("redis is not reached: starting without it, broadcasts stay on this instance until it is");
    }
    bus.claim(&id).await
}

/// Where the site's files are and what they are called.
fn leptos_options(config: &Config) -> Result<LeptosOptions, StartError> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let configured = &config.server.site_root;
    let root = if configured.as_os_str().is_empty() { site_beside_binary() } else { configured.clone() };
    if !root.is_dir() {
        return Err(StartError::Site(root));
    }
    let hash_file = root.join("hash.txt");
    let hash_files =
        variable("LEPTOS_HASH_FILES").map_or_else(|| hash_file.is_file(), |value| value.eq_ignore_ascii_case("true"));
    Ok(LeptosOptions::builder()
        .output_name(variable("LEPTOS_OUTPUT_NAME").unwrap_or_else(|| "jpulse".to_owned()))
        .site_pkg_dir(variable("LEPTOS_SITE_PKG_DIR").unwrap_or_else(|| "pkg".to_owned()))
        .site_root(root.to_string_lossy().into_owned())
        .site_addr(SocketAddr::new(config.server.host, config.server.port))
        .hash_file(hash_file.to_string_lossy().into())
        .hash_files(hash_files)
        .env(if variable("LEPTOS_WATCH").is_some() { Env::DEV } else { Env::PROD })
        .build())
}

fn site_beside_binary() -> PathBuf {
    let binary = std::env::current_exe().unwrap_or_default();
    let folder = binary.parent().unwrap_or(&binary);
    let beside = folder.join("site");
    if beside.is_dir() { beside } else { folder.parent().unwrap_or(folder).join("site") }
}
