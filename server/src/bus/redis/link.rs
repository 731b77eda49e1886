//! Watches the link: it is up while this process hears its own heart through Redis, from every node that takes
//! messages, and while each of them takes a small write.
//!
//! A link that is lost is made anew from the ground, with new connections: what was lost may be a node that others have
//! replaced, or a connection that nobody closed. A Redis that refuses writes keeps its connections, so that reading and
//! subscriptions go on; the link counts as down until a write comes back.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use fred::prelude::Server;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

pub(super) use super::heartbeat::Heart;
use super::{
    BusError, Event, Shared, claim,
    connect::Plan,
    connection::{Connection, Kind},
    heartbeat::SILENT_FOR,
    pauses::Pauses,
    probe::{Probed, Probes},
    receive,
};
use crate::{bus::OutageCause, clock::dice};

/// How often the heart beats, and how often a write is tried.
const BEAT_EVERY: Duration = Duration::from_millis(500);
/// Writes are tried no more often, whatever is refused.
const PROBED_APART: Duration = Duration::from_millis(100);
/// Beats between two refreshes of the claim.
const CLAIM_BEATS: u32 = 4;
/// How long connections to a server that is no primary are kept: its name may lead to another one by now.
const NO_PRIMARY_FOR: Duration = Duration::from_secs(15);

/// Why there is no link, or none any more.
enum Lost {
    /// A connection ended.
    Ended(OutageCause),
    /// Nothing was heard of this node, or of the only one there is.
    Silent(Option<Server>),
    /// The server takes no writes, and another one may.
    Refused(OutageCause),
    /// Somebody cut it.
    Cut,
    /// It could not be brought up.
    NotUp(BusError),
}

/// Brings the link up, watches it, and begins again when it is lost; until the bus stops.
pub(super) async fn run(shared: Arc<Shared>, plan: Plan) {
    let mut known = Vec::new();
    let mut avoided = None;
    let mut pauses = Pauses::default();
    let mut logged = LoggedCauses::default();
    for attempt in 0.. {
        shared.cut.over().await;
        shared.connects.fetch_add(1, Ordering::Relaxed);
        let mut made = None;
        let lost = match plan.open(attempt, &known, avoided.as_ref()).await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                known = connection.nodes();
                let life = Life { shared: &shared, connection: &connection, plan: &plan, logged: &mut logged };
                let lost = Box::pin(life.live(&mut made)).await;
                connection.end();
                lost
            }
            Err(error) => Lost::NotUp(error),
        };
        let was_up = shared.is_up();
        shared.set_down(lost.cause());
        if was_up {
            tracing::warn!(reason = %lost, "redis is lost: broadcasts stay on this instance until it is back");
            logged.causes.insert(lost.cause());
            if shared.events.send(Event::LinkDown).await.is_err() {
                return;
            }
        } else {
            logged.not_reached(&lost);
        }
        let lived = made.map_or(Duration::ZERO, |made: Instant| made.elapsed());
        // A cluster that says it is down says the same through every node.
        let is_refused = lost.cause() == OutageCause::ClusterDown;
        let servers = if is_refused { 1 } else { plan.servers_to_try(&known) };
        let pause = pauses.next(lived, servers, dice());
        avoided = match lost {
            Lost::Silent(node) if was_up => node,
            _ => None,
        };
        sleep(pause).await;
    }
}

/// What was logged since the link was last up: each cause once.
#[derive(Default)]
struct LoggedCauses {
    causes: BTreeSet<OutageCause>,
}

impl LoggedCauses {
    fn not_reached(&mut self, lost: &Lost) {
        if self.causes.insert(lost.cause()) {
            tracing::warn!(error = %lost, cause = lost.cause().as_str(), "redis is not reached yet");
        }
    }

    fn refused(&mut self, cause: OutageCause) {
        if self.causes.insert(cause) {
            let (reason, cure) = (cause.sentence(), cause.cure());
            tracing::warn!(
                cause = cause.as_str(),
                reason,
                cure,
                "redis takes no writes: broadcasts stay on this instance until it does"
            );
        }
    }

    fn up(&mut self) {
        self.causes.clear();
        tracing::info!("redis is reached: broadcasts go to all instances");
    }
}

/// One life of the link.
struct Life<'a> {
    shared: &'a Arc<Shared>,
    connection: &'a Arc<Connection>,
    plan: &'a Plan,
    logged: &'a mut LoggedCauses,
}

impl Life<'_> {
    /// Returns when the link is lost, or cannot be brought up; `made` is when everything was subscribed.
    async fn live(self, made: &mut Option<Instant>) -> Lost {
        let heart = Heart::default();
        let (shared, connection) = (Arc::clone(self.shared), Arc::clone(self.connection));
        let messages = connection.messages();
        tokio::select! {
            biased;
            // First, so that what arrived before the end is still handed on.
            () = receive::run(&shared, messages, &heart) => Lost::Ended(connection.end_cause()),
            () = connection.ended() => Lost::Ended(connection.end_cause()),
            () = shared.cut.begun() => Lost::Cut,
            lost = self.keep(&heart, made) => lost,
        }
    }

    /// Subscribes to everything, then lets the heart beat until it is not heard, and writes.
    async fn keep(self, heart: &Heart, made: &mut Option<Instant>) -> Lost {
        self.connection.look_at_slots().await;
        let mut probes = Probes::default();
        // Before much is subscribed: there may be another server to ask.
        if let Probed::Refused(cause) = probes.probe(self.shared, self.connection).await
            && cause.is_no_primary()
            && self.plan.finds_primary()
        {
            self.logged.refused(cause);
            return Lost::Refused(cause);
        }
        if let Err(error) = bring_up(self.shared, self.connection, heart).await {
            return Lost::NotUp(error);
        }
        *made = Some(Instant::now());
        let beating = beat(self.shared, self.connection, heart);
        tokio::select! {
            lost = beating => lost,
            lost = self.keep_writing(probes) => lost,
        }
    }

    /// Takes the link up and down as writes are taken and refused.
    async fn keep_writing(self, mut probes: Probes) -> Lost {
        let (shared, connection) = (self.shared, self.connection);
        let mut pauses = Pauses::default();
        let mut refused_since: Option<Instant> = None;
        let mut up_since: Option<Instant> = None;
        loop {
            connection.look_at_slots().await;
            let pause = match probes.probe(shared, connection).await {
                Probed::Written => {
                    if up_since.is_none() {
                        claim::hold(shared, connection).await;
                        up_since = Some(Instant::now());
                        refused_since = None;
                        shared.set_up();
                        self.logged.up();
                        if shared.events.send(Event::LinkUp).await.is_err() {
                            return Lost::Cut;
                        }
                    }
                    BEAT_EVERY
                }
                Probed::Refused(cause) => {
                    let was_up = up_since.take();
                    shared.set_refused(cause);
                    self.logged.refused(cause);
                    if was_up.is_some() && shared.events.send(Event::LinkDown).await.is_err() {
                        return Lost::Cut;
                    }
                    let since = *refused_since.get_or_insert_with(Instant::now);
                    if cause.is_no_primary() && (self.plan.finds_primary() || since.elapsed() > NO_PRIMARY_FOR) {
                        return Lost::Refused(cause);
                    }
                    pauses.next(was_up.map_or(Duration::ZERO, |since| since.elapsed()), 1, dice())
                }
                Probed::Unknown if probes.is_overdue() => return Lost::Silent(None),
                Probed::Unknown => BEAT_EVERY,
            };
            sleep(pause.min(PROBED_APART)).await;
            if up_since.is_some() {
                // Something else that was refused brings the next one forward.
                let _ = timeout(pause.saturating_sub(PROBED_APART), shared.refused.notified()).await;
            } else {
                sleep(pause.saturating_sub(PROBED_APART)).await;
            }
        }
    }
}

/// Lets the heart beat until it is not heard.
async fn beat(shared: &Shared, connection: &Connection, heart: &Heart) -> Lost {
    let heartbeat = shared.heartbeat_channel();
    let mut beat_at = interval(BEAT_EVERY);
    beat_at.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beats = 0_u32;
    loop {
        beat_at.tick().await;
        let nodes = connection.nodes();
        if let Some(silent) = heart.silent(&nodes) {
            return Lost::Silent(silent);
        }
        let claim = async {
            if shared.is_up() && beats.is_multiple_of(CLAIM_BEATS) {
                claim::hold(shared, connection).await;
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
        if let Some(refusal) = connection.publish_through(&nodes, &heartbeat).await {
            return Err(refusal);
        }
        heart.wait_for(&nodes).await;
        Ok(())
    };
    timeout(SILENT_FOR, is_heard).await.map_err(|_| BusError::Down)??;
    // Behind the lock: who joins from here on finds the connection.
    shared.set_connected(connection);
    drop(asked);
    Ok(())
}

impl Lost {
    fn cause(&self) -> OutageCause {
        match self {
            Self::Ended(cause) | Self::Refused(cause) => *cause,
            Self::Silent(_) => OutageCause::Timeout,
            Self::Cut => OutageCause::Cut,
            Self::NotUp(error) => error.outage(),
        }
    }
}

impl std::fmt::Display for Lost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ended(OutageCause::Unreachable) => formatter.write_str("a connection ended"),
            Self::Ended(cause) | Self::Refused(cause) => formatter.write_str(cause.sentence()),
            Self::Cut => formatter.write_str("cut on purpose"),
            Self::Silent(None) => formatter.write_str("no heartbeat"),
            Self::Silent(Some(node)) => write!(formatter, "no heartbeat through {node}"),
            Self::NotUp(error) => write!(formatter, "{error}"),
        }
    }
}
