//! The id an instance holds for itself: claimed whenever the link comes up, and refreshed while it is up.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use fred::{
    prelude::KeysInterface,
    types::{Value, scripts::Script},
};

use super::{BusError, Shared, connection::Connection};
use crate::identity::InstanceId;

/// How long a claim of an instance id outlives its holder, in seconds.
const CLAIM_SECONDS: i64 = 30;

/// What one process claims.
pub(super) struct Claim {
    id: OnceLock<InstanceId>,
    script: Script,
    /// Whether Redis ever gave it to this process.
    was_held: AtomicBool,
}

impl Default for Claim {
    fn default() -> Self {
        let script = Script::from_lua(include_str!("claim.lua"));
        Self { id: OnceLock::new(), script, was_held: AtomicBool::new(false) }
    }
}

/// Claims `id` from now on; at once when there is a link.
pub(super) async fn claim(shared: &Shared, id: &InstanceId) {
    // A bus claims for one instance.
    let _ = shared.claim.id.set(id.clone());
    let Ok(connection) = shared.connection() else { return };
    hold(shared, &connection).await;
}

/// Makes the claim or prolongs it. Another live process may have it: one that was quicker when both came without Redis,
/// or while Redis had lost it. This one takes another id then.
pub(super) async fn hold(shared: &Shared, connection: &Connection) {
    let Some(id) = shared.claim.id.get() else { return };
    loop {
        let current = id.current();
        match hold_one(shared, connection, current).await {
            Ok(None) => return,
            Ok(Some(holder)) => {
                if id.change(current, std::process::id(), &shared.token) {
                    let using = id.current();
                    tracing::warn!(taken = %current, %using, %holder, "another live instance has this id: set JPULSE_INSTANCE");
                } else if id.current() == current {
                    return;
                }
            }
            Err(error) => return tracing::debug!(%error, "cannot claim an instance id"),
        }
    }
}

/// Who else has this id; `None` when it is this process's now.
async fn hold_one(shared: &Shared, connection: &Connection, id: &str) -> Result<Option<String>, BusError> {
    let holder = set(shared, connection, id, "").await?;
    let is_first = !shared.claim.was_held.load(Ordering::Relaxed);
    let holder = if holder != shared.token && is_first && is_dead_here(&holder) {
        set(shared, connection, id, &holder).await?
    } else {
        holder
    };
    if holder != shared.token {
        return Ok(Some(holder));
    }
    shared.claim.was_held.store(true, Ordering::Relaxed);
    Ok(None)
}

async fn set(shared: &Shared, connection: &Connection, id: &str, ended: &str) -> Result<String, BusError> {
    let values: Vec<Value> = vec![shared.token.as_str().into(), CLAIM_SECONDS.into(), ended.into()];
    let key = claim_key(shared, id);
    connection.reaches(&key)?;
    let keys = vec![key];
    Ok(shared.claim.script.evalsha_with_reload(connection.commands(), keys, values).await?)
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

/// Gives the claim back.
pub(super) async fn release(shared: &Shared) {
    let Some(id) = shared.claim.id.get() else { return };
    let key = claim_key(shared, id.current());
    let Ok(connection) = shared.connection_for(&key) else { return };
    let holder: Result<Option<String>, _> = connection.commands().get(&key).await;
    if holder.is_ok_and(|holder| holder.as_deref() == Some(&shared.token)) {
        let _: Result<Value, _> = connection.commands().del(key).await;
    }
}

fn claim_key(shared: &Shared, id: &str) -> String {
    format!("{}instance:{id}", shared.prefix)
}
