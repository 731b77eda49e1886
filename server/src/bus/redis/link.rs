//! Watches the link: it is up while this process hears its own heart through Redis, from every node
//! that takes messages.
//!
//! A link that is lost is made anew from the ground, with new connections: what was lost may be a node
//! that others have replaced, or a connection that nobody closed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use fred::prelude::Server;
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use super::{
    BusError, Event, Shared, claim,
    connect::Plan,
    connection::{Connection, Kind},
    receive,
};

/// How often the heart beats.
const BEAT_EVERY: Duration = Duration::from_millis(500);
/// How long it may be silent before the link counts as down.
const SILENT_FOR: Duration = Duration::from_secs(3);
/// How long to wait before trying again to bring the link up.
const RETRY_AFTER: Duration = Duration::from_millis(250);
/// Beats between two refreshes of the claim.
const CLAIM_BEATS: u32 = 4;

/// When the heart was last heard, by the node it was sent through.
#[derive(Default)]
pub(super) struct Heart {
    heard: Mutex<HashMap<String, Instant>>,
    news: Notify,
}

/// Why there is no link, or none any more.
enum Lost {
    /// A connection ended.
    Ended,
    /// Nothing was heard of this node, or of the only one there is.
    Silent(Option<Server>),
    /// Somebody cut it.
    Cut,
    /// It could not be brought up.
    NotUp(BusError),
}

/// Brings the link up, watches it, and begins again when it is lost; until the bus stops.
pub(super) async fn run(shared: Arc<Shared>, plan: Plan) {
    let mut known = Vec::new();
    let mut avoided = None;
    let mut told = String::new();
    for attempt in 0.. {
        shared.cut.over().await;
        let lost = match plan.open(attempt, &known, avoided.as_ref()).await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                known = connection.nodes();
                let lost = Box::pin(live(&shared, &connection)).await;
                connection.end();
                lost
            }
            Err(error) => Lost::NotUp(error),
        };
        if !shared.is_up() {
            if let Lost::NotUp(error) = &lost {
                tell_once(&mut told, error);
            }
            sleep(RETRY_AFTER).await;
            avoided = None;
            continue;
        }
        shared.set_down();
        told.clear();
        tracing::warn!(reason = %lost, "redis is lost: broadcasts stay on this instance until it is back");
        if shared.events.send(Event::LinkDown).await.is_err() {
            return;
        }
        avoided = match lost {
            Lost::Silent(node) => node,
            Lost::Ended | Lost::Cut | Lost::NotUp(_) => None,
        };
    }
}

/// Says why Redis is not reached, each reason once.
fn tell_once(told: &mut String, error: &BusError) {
    let reason = error.to_string();
    if *told != reason {
        tracing::warn!(%error, "redis is not reached yet");
        *told = reason;
    }
}

/// One life of the link: returns when it is lost, or cannot be brought up.
async fn live(shared: &Arc<Shared>, connection: &Arc<Connection>) -> Lost {
    let heart = Heart::default();
    let messages = connection.messages();
    tokio::select! {
        biased;
        // First, so that what arrived before the end is still handed on.
        () = receive::run(shared, messages, &heart) => Lost::Ended,
        () = connection.ended() => Lost::Ended,
        () = shared.cut.begun() => Lost::Cut,
        lost = keep(shared, connection, &heart) => lost,
    }
}

/// Brings the link up and lets the heart beat until it is not heard.
async fn keep(shared: &Arc<Shared>, connection: &Arc<Connection>, heart: &Heart) -> Lost {
    if let Err(error) = bring_up(shared, connection, heart).await {
        return Lost::NotUp(error);
    }
    tracing::info!("redis is reached: broadcasts go to all instances");
    let heartbeat = shared.heartbeat_channel();
    let mut beat_at = interval(BEAT_EVERY);
    beat_at.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beats = 0_u32;
    loop {
        beat_at.tick().await;
        let nodes = connection.nodes();
        if let Some(silent) = heart.silent(&nodes) {
            return silent;
        }
        let claim = async {
            if beats.is_multiple_of(CLAIM_BEATS) {
                claim::refresh(shared, connection).await;
            }
        };
        // Silence tells; the beat's own error would only tell it twice.
        let beat = async { tokio::join!(connection.publish_through(&nodes, &heartbeat), claim) };
        let _ = timeout(BEAT_EVERY, Box::pin(beat)).await;
        beats = beats.wrapping_add(1);
    }
}

/// Subscribes to everything wanted and hears the heart beat once through every node.
async fn bring_up(shared: &Shared, connection: &Arc<Connection>, heart: &Heart) -> Result<(), BusError> {
    let mut asked = shared.interest.lock().await;
    let heartbeat = shared.heartbeat_channel();
    connection.hear(heartbeat.clone(), Kind::Channel).await?;
    connection.hear(shared.renewals_channel(), Kind::Channel).await?;
    shared.hear_wanted(connection, &asked.begin()).await?;
    connection.confirm().await?;
    let nodes = connection.nodes();
    let is_heard = async {
        connection.publish_through(&nodes, &heartbeat).await;
        heart.wait_for(&nodes).await;
    };
    timeout(SILENT_FOR, is_heard).await.map_err(|_| BusError::Down)?;
    shared.set_up(connection);
    // Behind the lock: who joins from here on finds the link up.
    drop(asked);
    shared.events.send(Event::LinkUp).await.map_err(|_| BusError::Down)
}

impl Heart {
    /// Notes a beat that was sent through `node`.
    pub(super) fn beat(&self, node: &str) {
        self.heard().insert(node.to_owned(), Instant::now());
        self.news.notify_one();
    }

    /// Waits until it was heard through all these nodes.
    async fn wait_for(&self, nodes: &[Server]) {
        loop {
            let is_heard = {
                let heard = self.heard();
                !heard.is_empty() && nodes.iter().all(|node| heard.contains_key(&node.to_string()))
            };
            if is_heard {
                return;
            }
            self.news.notified().await;
        }
    }

    /// The node through which nothing was heard for too long. One that is new is given its time.
    fn silent(&self, nodes: &[Server]) -> Option<Lost> {
        let mut heard = self.heard();
        let names: Vec<String> =
            if nodes.is_empty() { vec![String::new()] } else { nodes.iter().map(Server::to_string).collect() };
        heard.retain(|name, _| names.contains(name));
        let now = Instant::now();
        let silent = names
            .into_iter()
            .position(|name| now.saturating_duration_since(*heard.entry(name).or_insert(now)) > SILENT_FOR)?;
        Some(Lost::Silent(nodes.get(silent).cloned()))
    }

    fn heard(&self) -> std::sync::MutexGuard<'_, HashMap<String, Instant>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Display for Lost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ended => formatter.write_str("a connection ended"),
            Self::Cut => formatter.write_str("cut on purpose"),
            Self::Silent(None) => formatter.write_str("no heartbeat"),
            Self::Silent(Some(node)) => write!(formatter, "no heartbeat through {node}"),
            Self::NotUp(error) => write!(formatter, "{error}"),
        }
    }
}
