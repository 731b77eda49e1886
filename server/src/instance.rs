//! One instance from its start to its stop, in an order in which everything finds what it needs.

use std::{
    future::Future,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use app::ports::Ports;
use axum::Router;
use thiserror::Error;
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    account::{AccountError, Accounts},
    bus::{Buckets, Bus, BusError, Inbox, Keys, MemoryBus, RedisBus, TopicInbox, Topics},
    cluster::ClusterPort,
    config::{Config, RedisMode, SessionsMode},
    config_cache::{self, ConfigCache},
    endpoint::{self, Endpoints, RegisterError, WebSocketPort, builtin},
    fault::FaultPort,
    http::{self, Backends, Site},
    hub::{Hub, OutboxLimits},
    identity::{self, InstanceId},
    listener::{self, ListenError},
    metrics::{About, Metrics, Sources},
    motto::MottoPort,
    observatory::ObservatoryPort,
    relay::Relay,
    restarts,
    session::{self, Door, SecretError, Sessions, Watch},
    settings::SettingsPort,
    site_files::{self, MissingSite},
    store::{OpenError, Store},
    teller::Teller,
    throttle::Throttle,
    user_cache::UserCache,
    user_status::UserStatusPort,
};

/// How long the start waits for Redis, so that the instance can claim its name.
const REDIS_WITHIN: Duration = Duration::from_secs(2);
/// The part of the time for stopping after which messages that still wait for Redis are given up.
const DRAIN_SHARE: f64 = 0.75;
/// Pause before a store that was not there is asked again for the user `admin`.
const ADMIN_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// An instance that listens but does not answer yet.
pub struct Instance {
    listener: TcpListener,
    router: Router,
    config: Config,
    site: Site,
    teller: Teller,
    watch: Watch,
    observatory: Arc<ObservatoryPort>,
    mottos: Arc<MottoPort>,
    cluster: Arc<ClusterPort>,
    bus: Arc<dyn Bus>,
    first_password: Option<String>,
}

/// Why an instance does not start; each is one line that names the cause.
#[derive(Debug, Error)]
pub enum StartError {
    /// There is nothing to take connections from.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Redis cannot be reached the way it is set up.
    #[error("configuration: redis: {0}")]
    Redis(#[from] BusError),
    /// There is nothing to sign sessions with.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The user `admin` cannot be as configured.
    #[error("the user admin: {0}")]
    Admin(#[from] AccountError),
    /// A WebSocket endpoint cannot be had.
    #[error(transparent)]
    Endpoint(#[from] RegisterError),
    /// The site's files are not where they should be.
    #[error(transparent)]
    Site(#[from] MissingSite),
}

impl Instance {
    /// Opens the store, the bus and the port, in this order.
    ///
    /// # Errors
    ///
    /// When the store cannot be opened or the port is taken. A missing Redis or MongoDB is no error.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        let started_at = Instant::now();
        let listener = listener::open(&config.server).await?;
        let own_address = listener.local_addr().ok().map(|address| address.ip());
        let store = Arc::new(Store::open(&config).await?);
        let accounts = Arc::new(Accounts::new(&store));
        let first_password = prepare_admin(&accounts, &store, &config).await?;
        let redis_mode = config.redis.effective_mode();
        let StartedBus {
            bus,
            redis,
            inbox,
            endpoint_topics,
            node_js_topics,
            config_topics,
            session_topics,
            keys,
            buckets,
        } = start_bus(&config, redis_mode)?;
        let key = session::cookie_key(&config.sessions.secret, &config.server.data_dir)?;
        if config.sessions.secret.is_empty() && keys.is_some() {
            tracing::warn!("SESSION_SECRET is not set: whoever signs in here is a guest on other instances");
        }
        let backup = if config.sessions.mode == SessionsMode::Hybrid { store.sessions() } else { None };
        let (sessions, announced) = Sessions::start(&config.sessions, keys.clone(), session_topics, backup);
        let instance_id = claim(&*bus, &config).await;
        let fallback = &config.redis.fallback;
        let limits = OutboxLimits { messages: fallback.outbox_messages, bytes: fallback.outbox_bytes };
        let hub = Hub::start(Arc::clone(&bus), inbox, instance_id, limits, &config.channels);
        let relay = Relay::start(hub.clone(), config.limits.clone());
        let watch = Watch::start(sessions.clone(), Arc::clone(&accounts), announced, hub.clone(), relay.clone());
        let about = About {
            hostname: config.site.hostname.clone(),
            environment: config.site.mode.as_str(),
            port: listener.local_addr().map_or(config.server.port, |address| address.port()),
            report_every: config.metrics.report_every(),
            restarts: restarts::count().await,
        };
        let sources = Sources {
            keys: keys.clone(),
            hub: hub.clone(),
            relay: relay.clone(),
            store: Arc::clone(&store),
            sessions: sessions.clone(),
            started_at,
        };
        let metrics = Metrics::start(about, sources);
        let config_cache =
            ConfigCache::start(&config.config_cache, keys.clone(), config_topics, store.config(), hub.clone());
        let teller = Teller::start(store.outbox(), hub.clone());
        let cluster = Arc::new(ClusterPort::start(hub.clone(), relay.clone(), redis_mode, started_at));
        let observatory = Arc::new(ObservatoryPort::start(metrics.clone(), hub.clone(), store.todos(), keys.clone()));
        let settings = Arc::new(SettingsPort::start(config_cache.clone(), hub.clone(), keys.clone()));
        let throttle = Throttle::new(buckets);
        let mottos = MottoPort::start(config_cache.clone(), hub.clone(), metrics.clone(), throttle.clone());
        let mottos = Arc::new(mottos);
        let endpoints = Endpoints::start(
            relay.clone(),
            hub.clone(),
            endpoint_topics,
            node_js_topics,
            keys.clone(),
            store.endpoints(),
        );
        let faults = FaultPort::start(config.site.mode, own_address, redis, cluster.clone(), observatory.clone());
        let ports = Ports {
            cluster: cluster.clone(),
            faults,
            todos: store.todos(),
            texts: store.texts(),
            carts: store.carts(),
            notifications: store.notifications(),
            observatory: observatory.clone(),
            user_statuses: Arc::new(UserStatusPort::new(config_cache.clone(), cluster.clone())),
            features: settings.clone(),
            site: settings,
            mottos: mottos.clone(),
            endpoints: Arc::new(WebSocketPort::new(&endpoints)),
        };
        builtin::register(&endpoints, &ports, config.limits.socket_messages)?;
        metrics.register_namespaces(Arc::new(endpoints.clone()));
        let leptos = site_files::leptos_options(&config.server)?;
        let backends = Backends { redis: redis_mode, mode: config.site.mode };
        let door = Door::new(sessions, accounts, throttle.clone(), key, config.site.mode);
        let metrics_token = config.metrics.token.as_str().into();
        let site = Site {
            ports,
            hub,
            relay,
            user_cache: UserCache::new(keys),
            endpoints,
            store,
            metrics,
            config_cache,
            metrics_token,
            door,
            backends,
            leptos,
            throttle,
            started_at,
        };
        let router = http::router(site.clone(), &config);
        Ok(Self { listener, router, config, site, teller, watch, observatory, mottos, cluster, bus, first_password })
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

    /// The password of the user `admin` that this very start made, to be shown once.
    pub fn first_password(&self) -> Option<&str> {
        self.first_password.as_deref()
    }

    /// What pages use, for server code of a site owner that runs beside them.
    pub fn ports(&self) -> &Ports {
        &self.site.ports
    }

    /// What this instance measures, for server code of a site owner that counts something of its own.
    pub fn metrics(&self) -> &Metrics {
        &self.site.metrics
    }

    /// The configuration, for server code that reads it or wants to hear of its changes.
    pub fn config_cache(&self) -> &ConfigCache {
        &self.site.config_cache
    }

    /// Its WebSocket endpoints, for a site owner to add to.
    pub fn endpoints(&self) -> &Endpoints {
        &self.site.endpoints
    }

    /// Answers until `shutdown` completes; then lets browsers go elsewhere, finishes what is under way
    /// and closes everything in the order opposite to the start.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) {
        let Self { listener, router, config, site, teller, watch, observatory, mottos, cluster, bus, .. } = self;
        let (hub, relay, store) = (site.hub.clone(), site.relay.clone(), Arc::clone(&site.store));
        let (sessions, endpoints) = (site.door.sessions.clone(), site.endpoints.clone());
        let (metrics, config_cache) = (site.metrics.clone(), site.config_cache.clone());
        let stop = CancellationToken::new();
        let slots = http::Slots::new(&config);
        let serving = tokio::spawn(http::serve(listener, router, slots, stop.clone()));
        shutdown.await;
        tracing::info!("stopping");
        stop.cancel();
        let within = config.server.shutdown_within();
        let drain_until = tokio::time::Instant::now() + within.mul_f64(DRAIN_SHARE);
        let stopped = timeout(within, async {
            // First, so that nobody counts on this instance any more.
            metrics.stop().await;
            relay.stop().await;
            if serving.await.is_err() {
                tracing::error!("serving ended before its time");
            }
            // Sockets that were opened meanwhile, on connections that were taken before.
            relay.stop().await;
            observatory.stop().await;
            mottos.stop().await;
            config_cache.stop().await;
            endpoints.stop().await;
            watch.stop().await;
            cluster.stop().await;
            teller.stop().await;
            hub.drain(drain_until).await;
            hub.stop().await;
            sessions.stop().await;
            bus.close().await;
            store.close().await;
        });
        if stopped.await.is_err() {
            tracing::warn!("stopped with connections still open");
        }
    }
}

/// Makes the user `admin` as configured, or a first one. A MongoDB that is not there gets it when it is.
async fn prepare_admin(
    accounts: &Arc<Accounts>,
    store: &Store,
    config: &Config,
) -> Result<Option<String>, AccountError> {
    let password = config.accounts.admin_password.clone();
    if password.is_empty() {
        return if store.is_shared() { Ok(None) } else { accounts.first_admin().await };
    }
    match accounts.set_admin(&password).await {
        Ok(()) => {}
        Err(AccountError::Store(error)) if store.is_shared() => {
            tracing::warn!(%error, "the user admin waits for the store");
            let accounts = Arc::downgrade(accounts);
            tokio::spawn(async move {
                loop {
                    sleep(ADMIN_AGAIN_AFTER).await;
                    // Gone with the instance.
                    let Some(accounts) = accounts.upgrade() else { return };
                    if !matches!(accounts.set_admin(&password).await, Err(AccountError::Store(_))) {
                        return;
                    }
                }
            });
        }
        Err(error) => return Err(error),
    }
    Ok(None)
}

/// The bus, its inbox, and what is told, kept and counted for all instances together, where there are others.
struct StartedBus {
    bus: Arc<dyn Bus>,
    redis: Option<Arc<RedisBus>>,
    inbox: Inbox,
    endpoint_topics: (Topics, TopicInbox),
    node_js_topics: (Topics, TopicInbox),
    config_topics: (Topics, TopicInbox),
    session_topics: (Topics, TopicInbox),
    keys: Option<Keys>,
    buckets: Option<Arc<dyn Buckets>>,
}

fn start_bus(config: &Config, mode: RedisMode) -> Result<StartedBus, BusError> {
    if mode == RedisMode::None {
        let (bus, inbox) = MemoryBus::new();
        let [endpoint_topics, node_js_topics, config_topics, session_topics] =
            std::array::from_fn(|_| Topics::local(bus.link()));
        let (redis, keys, buckets) = (None, None, None);
        return Ok(StartedBus {
            bus,
            redis,
            inbox,
            endpoint_topics,
            node_js_topics,
            config_topics,
            session_topics,
            keys,
            buckets,
        });
    }
    let (bus, inbox) = RedisBus::start(&config.redis, config.site.prefix())?;
    let (endpoint_topics, config_topics) = (bus.topics(endpoint::FAMILY), bus.topics(config_cache::FAMILY));
    let (node_js_topics, session_topics) = (bus.topics(endpoint::NODE_JS_FAMILY), bus.topics(session::FAMILY));
    let keys = Some(bus.keys());
    let buckets: Option<Arc<dyn Buckets>> = Some(bus.clone());
    let redis = Some(bus.clone());
    Ok(StartedBus { bus, redis, inbox, endpoint_topics, node_js_topics, config_topics, session_topics, keys, buckets })
}

/// Waits a moment for the link, so that the name can be claimed.
async fn claim(bus: &dyn Bus, config: &Config) -> InstanceId {
    let id = InstanceId::new(identity::instance_id(&config.site));
    let mut link = bus.link();
    let is_linked = link.wait_for(|link| *link != crate::bus::Link::Down);
    if timeout(REDIS_WITHIN, is_linked).await.is_err() {
        tracing::warn!("redis is not reached: starting without it, broadcasts stay on this instance until it is");
    }
    bus.claim(&id).await;
    id
}
