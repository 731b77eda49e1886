//! Watches the link: it is up while this process hears its own heart through Redis.

use std::{convert::Infallible, sync::Arc, time::Duration};

use fred::{
    prelude::{
        Client, ClientLike, Error, EventInterface, Expiration, KeysInterface, PubsubInterface, Server, SetOptions,
    },
    types::Value,
};
use tokio::{
    sync::{broadcast, watch},
    time::{interval, sleep, timeout},
};

use super::{
    BusError, Event, Link, Shared,
    receive::{heartbeat_channel, renewals_channel},
};

/// How often the heart beats.
const BEAT_EVERY: Duration = Duration::from_secs(1);
/// How long it may be silent before the link counts as down.
const SILENT_FOR: Duration = Duration::from_secs(3);
/// How long to wait before trying again to bring the link up.
const RETRY_AFTER: Duration = Duration::from_millis(250);
/// How long a claim of an instance id outlives its holder, in seconds.
const CLAIM_SECONDS: i64 = 30;

/// What the clients notice by themselves.
pub(super) struct Notices {
    reconnects: broadcast::Receiver<Server>,
    errors: [broadcast::Receiver<(Error, Option<Server>)>; 2],
}

impl Notices {
    /// Begins listening; before the clients connect.
    pub(super) fn of(commands: &Client, subscriptions: &Client) -> Self {
        Self { reconnects: subscriptions.reconnect_rx(), errors: [commands.error_rx(), subscriptions.error_rx()] }
    }

    /// Forgets what was noticed up to now.
    fn clear(&mut self) {
        self.reconnects = self.reconnects.resubscribe();
        self.errors = self.errors.each_ref().map(broadcast::Receiver::resubscribe);
    }

    /// Waits for the next notice that the link is not what it was.
    async fn next(&mut self) -> &'static str {
        let [commands, subscriptions] = &mut self.errors;
        tokio::select! {
            _ = self.reconnects.recv() => "the connection was made anew",
            _ = commands.recv() => "the connection for commands broke",
            _ = subscriptions.recv() => "the connection for subscriptions broke",
        }
    }
}

/// Brings the link up, watches it, and begins again when it is lost; until the bus stops.
pub(super) async fn run(shared: Arc<Shared>, mut notices: Notices, mut beats: watch::Receiver<u64>) {
    loop {
        if let Err(error) = bring_up(&shared, &mut beats).await {
            tracing::debug!(%error, "redis is not reached yet");
            sleep(RETRY_AFTER).await;
            continue;
        }
        // Older than the heartbeat that was just heard, on the connections there are now.
        notices.clear();
        tracing::info!("redis is reached: broadcasts go to all instances");
        let lost = tokio::select! {
            reason = notices.next() => Lost { reason, is_half_open: false },
            () = silence(&mut beats) => Lost { reason: "no heartbeat", is_half_open: true },
            never = keep_beating(&shared) => match never {},
        };
        shared.link.send_replace(Link::Down);
        tracing::warn!(reason = lost.reason, "redis is lost: broadcasts stay on this instance until it is back");
        if shared.events.send(Event::LinkDown).await.is_err() {
            return;
        }
        if lost.is_half_open {
            // Such a connection does not end by itself.
            let _ = timeout(BEAT_EVERY, shared.commands.force_reconnection()).await;
            let _ = timeout(BEAT_EVERY, shared.subscriptions.force_reconnection()).await;
        }
    }
}

/// Why the link was lost.
struct Lost {
    reason: &'static str,
    is_half_open: bool,
}

/// Subscribes to everything joined and hears the heart beat once.
async fn bring_up(shared: &Shared, beats: &mut watch::Receiver<u64>) -> Result<(), BusError> {
    if !shared.commands.is_connected() || !shared.subscriptions.is_connected() {
        return Err(BusError::Down);
    }
    let joined = shared.joined.lock().await;
    shared.subscriptions.subscribe(vec![heartbeat_channel(shared), renewals_channel(shared)]).await?;
    for pattern in joined.keys() {
        shared.hear(pattern).await?;
    }
    shared.confirm().await?;
    beats.mark_unchanged();
    beat(shared).await?;
    timeout(SILENT_FOR, beats.changed()).await.map_err(|_| BusError::Down)?.map_err(|_| BusError::Down)?;
    shared.link.send_replace(Link::Up);
    // Behind the lock: who joins from here on finds the link up.
    drop(joined);
    shared.events.send(Event::LinkUp).await.map_err(|_| BusError::Down)
}

/// Returns when the heart has been silent for too long.
async fn silence(beats: &mut watch::Receiver<u64>) {
    while let Ok(heard) = timeout(SILENT_FOR, beats.changed()).await {
        if heard.is_err() {
            // The receiver has ended, and so will this: the bus stops.
            std::future::pending::<()>().await;
        }
    }
}

/// Lets the heart beat and the claim live.
async fn keep_beating(shared: &Shared) -> Infallible {
    let mut beat_at = interval(BEAT_EVERY);
    loop {
        beat_at.tick().await;
        // Silence tells; the beat's own error would only tell it twice.
        let _ = timeout(BEAT_EVERY, async { tokio::join!(beat(shared), refresh_claim(shared)) }).await;
    }
}

async fn beat(shared: &Shared) -> Result<(), BusError> {
    shared.commands.publish::<(), _, _>(heartbeat_channel(shared), "beat").await?;
    Ok(())
}

/// Claims `id`, or `id:{pid}` when another live process holds it.
pub(super) async fn claim(shared: &Shared, id: &Arc<str>) -> Arc<str> {
    let mut id = Arc::clone(id);
    match take(shared, &id).await {
        Ok(true) => {}
        Ok(false) => {
            let other: Arc<str> = format!("{id}:{}", std::process::id()).into();
            tracing::warn!(taken = %id, using = %other, "another live instance has this id: set JPULSE_INSTANCE");
            id = other;
            // Nobody else has this process's number; a Redis that went away meanwhile changes nothing.
            let _ = take(shared, &id).await;
        }
        Err(error) => tracing::debug!(%error, "cannot claim an instance id"),
    }
    *shared.claim.lock().await = Some(Arc::clone(&id));
    id
}

async fn take(shared: &Shared, id: &str) -> Result<bool, BusError> {
    let key = claim_key(shared, id);
    let expires = Some(Expiration::EX(CLAIM_SECONDS));
    let set: Value = shared.commands.set(&key, &shared.token, expires.clone(), Some(SetOptions::NX), false).await?;
    if !set.is_null() {
        return Ok(true);
    }
    let holder: Option<String> = shared.commands.get(&key).await?;
    if holder.is_some_and(|holder| is_dead_here(&holder)) {
        let _: Value = shared.commands.set(&key, &shared.token, expires, None, false).await?;
        return Ok(true);
    }
    Ok(false)
}

/// Whether the holder was a process of this host that ended without giving its claim back.
fn is_dead_here(holder: &str) -> bool {
    let Some((pid, host)) = holder.split('#').next().and_then(|process| process.split_once('@')) else { return false };
    let processes = std::path::Path::new("/proc");
    host == hostname()
        && pid.bytes().all(|byte| byte.is_ascii_digit())
        && processes.is_dir()
        && !processes.join(pid).exists()
}

/// Names this process among all that use this Redis.
pub(super) fn token() -> String {
    format!("{}@{}#{}", std::process::id(), hostname(), uuid::Uuid::new_v4().simple())
}

fn hostname() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

async fn refresh_claim(shared: &Shared) {
    if let Some(id) = shared.claim.lock().await.as_deref() {
        let key = claim_key(shared, id);
        let refreshed = shared.commands.set(key, &shared.token, Some(Expiration::EX(CLAIM_SECONDS)), None, false);
        let _: Result<Value, _> = refreshed.await;
    }
}

/// Gives the claim back.
pub(super) async fn release(shared: &Shared) {
    if let Some(id) = shared.claim.lock().await.take()
        && shared.is_up()
    {
        let _: Result<Value, _> = shared.commands.del(claim_key(shared, &id)).await;
    }
}

fn claim_key(shared: &Shared, id: &str) -> String {
    format!("{}instance:{id}", shared.prefix)
}
