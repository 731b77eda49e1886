//! The name an instance keeps for itself.

use std::sync::Arc;

use fred::{
    prelude::{Expiration, KeysInterface, SetOptions},
    types::Value,
};

use super::{BusError, Shared, connection::Connection};

/// How long a claim of an instance id outlives its holder, in seconds.
const CLAIM_SECONDS: i64 = 30;

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
    let connection = shared.connection()?;
    let commands = connection.commands();
    let key = claim_key(shared, id);
    let expires = Some(Expiration::EX(CLAIM_SECONDS));
    let set: Value = commands.set(&key, &shared.token, expires.clone(), Some(SetOptions::NX), false).await?;
    if !set.is_null() {
        return Ok(true);
    }
    let holder: Option<String> = commands.get(&key).await?;
    if holder.is_some_and(|holder| is_dead_here(&holder)) {
        let _: Value = commands.set(&key, &shared.token, expires, None, false).await?;
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

/// Keeps the claim alive.
pub(super) async fn refresh(shared: &Shared, connection: &Connection) {
    if let Some(id) = shared.claim.lock().await.as_deref() {
        let (key, expires) = (claim_key(shared, id), Some(Expiration::EX(CLAIM_SECONDS)));
        let _: Result<Value, _> = connection.commands().set(key, &shared.token, expires, None, false).await;
    }
}

/// Gives the claim back.
pub(super) async fn release(shared: &Shared) {
    if let Some(id) = shared.claim.lock().await.take()
        && let Ok(connection) = shared.connection()
    {
        let _: Result<Value, _> = connection.commands().del(claim_key(shared, &id)).await;
    }
}

fn claim_key(shared: &Shared, id: &str) -> String {
    format!("{}instance:{id}", shared.prefix)
}
