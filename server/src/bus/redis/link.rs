//! Watches the link: it is up while this process hears its own heart through Redis.

use std::{sync::Arc, time::Duration};

use fred::{
    prelude::{ClientLike, Expiration, KeysInterface, PubsubInterface, Server, SetOptions},
    types::Value,
};
use tokio::{
    sync::{broadcast, watch},
    time::{Instant, sleep, timeout},
};

use super::{BusError, Event, Link, Shared, receive::heartbeat_channel};

/// How often the heart beats.
const BEAT_EVERY: Duration = Duration::from_secs(1);
/// How long it may be silent before the link counts as down.
const SILENT_FOR: Duration = Duration::from_secs(3);
/// How long to wait before trying again to bring the link up.
const RETRY_AFTER: Duration = Duration::from_millis(250);
/// How long a claim of an instance id outlives its holder, in seconds.
const CLAIM_SECONDS: i64 = 30;

/// Brings the link up, watches it, and begins again when it is lost; until the bus stops.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut reconnects: broadcast::Receiver<Server>,
    mut beats: watch::Receiver<u64>,
) {
    loop {
        while reconnects.try_recv().is_ok() {}
        if let Err(error) = bring_up(&shared, &mut beats).await {
            tracing::debug!(%error, "redis is not reached yet");
            sleep(RETRY_AFTER).await;
            continue;
        }
        tracing::info!("redis is reached: broadcasts go to all instances");
        let reason = watch_over(&shared, &mut reconnects, &mut beats).await;
        shared.link.send_replace(Link::Down);
        tracing::warn!(reason, "redis is lost: broadcasts stay on this instance until it is back");
        if shared.events.send(Event::LinkDown).await.is_err() {
            return;
        }
    }
}

/// Subscribes to everything joined and hears the heart beat once.
async fn bring_up(shared: &Shared, beats: &mut watch::Receiver<u64>) -> Result<(), BusError> {
    if !shared.commands.is_connected() || !shared.subscriptions.is_connected() {
        return Err(BusError::Down);
    }
    let joined = shared.joined.lock().await;
    shared.subscriptions.subscribe(heartbeat_channel(shared)).await?;
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

/// Returns when the link is lost, with the reason.
async fn watch_over(
    shared: &Shared,
    reconnects: &mut broadcast::Receiver<Server>,
    beats: &mut watch::Receiver<u64>,
) -> &'static str {
    let mut silent_at = Instant::now() + SILENT_FOR;
    let mut next_beat = Instant::now() + BEAT_EVERY;
    loop {
        tokio::select! {
            _ = reconnects.recv() => return "the connection was made anew",
            changed = beats.changed() => {
                if changed.is_err() {
                    return "the receiver stopped";
                }
                silent_at = Instant::now() + SILENT_FOR;
            }
            () = tokio::time::sleep_until(next_beat) => {
                next_beat = Instant::now() + BEAT_EVERY;
                // Silence tells; the beat's own error would only tell it twice.
                let _ = timeout(BEAT_EVERY, beat(shared)).await;
                refresh_claim(shared).await;
            }
            () = tokio::time::sleep_until(silent_at) => {
                // A half-open connection does not end by itself.
                let _ = timeout(BEAT_EVERY, shared.subscriptions.force_reconnection()).await;
                return "no heartbeat";
            }
        }
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
