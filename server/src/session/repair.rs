//! Puts back into Redis what it lacks, whenever it is found anew: what is over first.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{
    Inner,
    facts::Kept,
    lost::new_name,
    remote::{Remote, Written},
};
use crate::bus::{BusError, Link};

/// Sessions put back at once.
const AT_ONCE: usize = 32;
/// Sessions taken out of memory, or out of the backup, in one go.
const TOGETHER: usize = 256;
/// How often the name of Redis's state is looked at: another instance may have found it first.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How many looks there are between two at whether Redis still knows what is over.
const LOOKS_AN_END: u32 = 4;
/// Ends looked at in one go.
const ENDS_TOGETHER: usize = 512;
/// Pause before what did not get through is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(250);

/// Runs until the sessions stop.
pub(super) async fn run(inner: Arc<Inner>) {
    let stop = inner.stop.clone();
    stop.run_until_cancelled_owned(Box::pin(keep(inner))).await;
}

async fn keep(inner: Arc<Inner>) {
    let Some(remote) = &inner.remote else { return };
    let mut link = remote.keys.link();
    loop {
        if link.wait_for(|link| *link == Link::Up).await.is_err() {
            return;
        }
        let mut repaired = match found_anew(&inner, remote).await {
            Ok(repaired) => repaired,
            Err(error) => {
                tracing::debug!(%error, "sessions wait for redis");
                sleep(AGAIN_AFTER).await;
                continue;
            }
        };
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = 0_u32;
        loop {
            tokio::select! {
                // Even one that is back already was lost.
                changed = link.changed() => {
                    inner.found().is_anew = true;
                    if changed.is_err() {
                        return;
                    }
                    break;
                }
                () = inner.repair_wanted.notified() => {}
                _ = look.tick() => {
                    inner.memory().sweep(remote.ends_known_for());
                    looks = looks.wrapping_add(1);
                    if looks.is_multiple_of(LOOKS_AN_END) {
                        let some = inner.memory().endings.some(ENDS_TOGETHER);
                        if let Err(error) = remote.end_again(some).await {
                            tracing::debug!(%error, "what is over is looked at again in a moment");
                        }
                    }
                    // Enters the new state when there is one.
                    inner.has_all_data(remote).await;
                }
            }
            let state = inner.state();
            let done = if state == repaired { put_back(&inner, remote).await } else { repair(&inner, remote).await };
            match done {
                Ok(()) => repaired = state,
                Err(error) => tracing::debug!(%error, "sessions wait for redis"),
            }
        }
    }
}

/// The link is new: Redis may have come back with less than it had, or be another one. Answers which
/// state of Redis it was that got everything.
async fn found_anew(inner: &Inner, remote: &Remote) -> Result<u64, BusError> {
    // Before anybody takes Redis's word for what is not there.
    tell_endings(inner, remote).await?;
    inner.enter_state(remote.state(&new_name()).await?);
    let state = inner.state();
    repair(inner, remote).await?;
    Ok(state)
}

/// Gives a Redis that may have lost anything all that is known: first what is over, which an old copy of
/// its data may hold as alive.
async fn repair(inner: &Inner, remote: &Remote) -> Result<(), BusError> {
    let endings = inner.memory().endings.all();
    let ending = endings.into_iter().map(|ending| async move { remote.end(&ending).await });
    let mut ending = stream::iter(ending.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
    while let Some(ended) = ending.next().await {
        ended?;
    }
    put_back(inner, remote).await?;
    from_backup(inner, remote).await
}

/// Tells what ended while Redis was away, the oldest first.
async fn tell_endings(inner: &Inner, remote: &Remote) -> Result<(), BusError> {
    loop {
        let Some(ending) = inner.memory().endings.first_untold() else { return Ok(()) };
        remote.end(&ending).await?;
        inner.memory().endings.told(&ending);
    }
}

/// Puts back what is remembered here.
async fn put_back(inner: &Inner, remote: &Remote) -> Result<(), BusError> {
    tell_endings(inner, remote).await?;
    let state = inner.state();
    loop {
        let missing = inner.memory().not_in_redis(state, TOGETHER);
        if missing.is_empty() {
            return Ok(());
        }
        let count = missing.len();
        restore_all(inner, remote, missing).await?;
        tracing::info!(count, "sessions were put back into redis");
    }
}

/// Puts back what only the backup has: at the start, or when Redis lost what nobody remembers.
async fn from_backup(inner: &Inner, remote: &Remote) -> Result<(), BusError> {
    let Some(backup) = &inner.backup else { return Ok(()) };
    let mut after = None;
    loop {
        let page = backup.page(after.as_deref(), TOGETHER).await;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(last.clone());
        restore_all(inner, remote, page).await?;
    }
}

async fn restore_all(inner: &Inner, remote: &Remote, sessions: Vec<(String, Kept)>) -> Result<(), BusError> {
    let state = inner.state();
    let restoring = sessions.into_iter().map(|(id, kept)| async move {
        let written =
            if inner.memory().is_over(&id, &kept) { Written::Over } else { remote.restore(&id, &kept).await? };
        let mut memory = inner.memory();
        match written {
            Written::Yes => memory.set_in_redis(&id, state),
            Written::Over => memory.forget(&id),
        }
        Ok::<_, BusError>(())
    });
    let mut restoring = stream::iter(restoring.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
    while let Some(restored) = restoring.next().await {
        restored?;
    }
    Ok(())
}
