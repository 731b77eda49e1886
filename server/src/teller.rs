//! Commit, then tell: publishes what the store saved with its changes.
//!
//! One task an instance. What was committed just now comes over the store's [`Lane`] and is published at
//! once, without a look into the store. What is found in the store instead: what a crash left behind,
//! what waited for the link to the other instances, what another instance left. An announcement is
//! removed when its publish is durable; until then it is published again with the same id, so that it is
//! logged and heard once.
//!
//! [`Lane`]: crate::store::Lane

mod refused;
mod told;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use app::ports::StoreError;
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::Channel;

use self::{refused::Refused, told::Told};
use crate::{
    clock::{dice, now_milliseconds},
    hub::{Draft, Hub, Link, PublishError, Route, Saved},
    store::{Outbox, Untold},
};

/// Announcements published together at most.
const TOGETHER: usize = 64;
/// How long removals wait for others: they share a transaction, which changes then need not wait for.
const REMOVE_AFTER: Duration = Duration::from_millis(25);
/// Removals that wait for others at most.
const REMOVED_TOGETHER: usize = 256;
/// Pause before a removal that failed is tried again.
const REMOVE_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// How long a removal may hold up a look through the store, or the stop.
const REMOVE_WITHIN: Duration = Duration::from_secs(1);
/// How often the store is looked through for what nobody told: another instance that is gone, or this one
/// when the answer to a commit was lost.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Pause before the store is looked through again when a publish did not get through.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// The same when another instance is to tell something first; doubles up to [`LOOK_AGAIN_AFTER`].
const LOOK_BEHIND_AFTER: Duration = Duration::from_millis(25);
/// How often what is too old or too much is dropped.
const SHED_EVERY: Duration = Duration::from_mins(1);
/// What is older, in milliseconds, another instance may have taken over and told; well within its lease.
const SURELY_OURS: u64 = 5_000;

/// Tells what the store saved. Ends with [`Teller::stop`].
#[derive(Clone)]
pub struct Teller {
    counts: Arc<Counts>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

#[derive(Default)]
struct Counts {
    told: AtomicU64,
    dropped: AtomicU64,
}

impl Teller {
    /// Starts with what was left behind in the store.
    pub fn start(outbox: Arc<dyn Outbox>, hub: Hub) -> Self {
        outbox.own(hub.identity());
        let (counts, tasks, stop) = (Arc::<Counts>::default(), TaskTracker::new(), CancellationToken::new());
        let task = Task {
            link: hub.link(),
            outbox,
            hub,
            counts: Arc::clone(&counts),
            stop: stop.clone(),
            told: Told::default(),
            refused: Refused::default(),
            unremoved: HashSet::new(),
            removals: Vec::new(),
            remove_at: None,
            removing: JoinSet::new(),
            is_behind: true,
            look_at: Some(Instant::now()),
            pause: LOOK_BEHIND_AFTER,
            is_store_away: false,
        };
        tasks.spawn(task.run());
        tasks.close();
        Self { counts, tasks, stop }
    }

    /// Announcements published for good since the start.
    pub fn told(&self) -> u64 {
        self.counts.told.load(Ordering::Relaxed)
    }

    /// Announcements dropped since the start: too old, too many or too large.
    pub fn dropped(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
    }

    /// Tells what is on the lane and stops. What is not told by then is told after the next start.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

struct Task {
    outbox: Arc<dyn Outbox>,
    hub: Hub,
    link: watch::Receiver<Link>,
    counts: Arc<Counts>,
    stop: CancellationToken,
    told: Told,
    /// Channels that Redis refuses while it takes others.
    refused: Refused,
    /// Told, and perhaps in the store still.
    unremoved: HashSet<Arc<str>>,
    /// Those of them that are to be removed next.
    removals: Vec<Arc<str>>,
    /// When to remove them.
    remove_at: Option<Instant>,
    /// One removal at a time, beside everything else: a document that is locked delays nobody's news.
    removing: JoinSet<Removal>,
    /// Something in the store goes before what is on the lane, which is only delivered here until then.
    is_behind: bool,
    /// When to look through the store, given a link.
    look_at: Option<Instant>,
    /// Until the next look, when another instance is to tell something first.
    pause: Duration,
    /// Said in the log.
    is_store_away: bool,
}

/// What was to be removed, and whether it was.
type Removal = (Vec<Arc<str>>, Result<(), StoreError>);

impl Task {
    async fn run(mut self) {
        let (mut left, mut shed) = (interval(LOOK_EVERY), interval(SHED_EVERY));
        left.set_missed_tick_behavior(MissedTickBehavior::Delay);
        shed.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (outbox, stop) = (Arc::clone(&self.outbox), self.stop.clone());
        loop {
            let has_link = *self.link.borrow_and_update() != Link::Down;
            let now = Instant::now();
            let (look_at, remove_at) = (self.look_at.unwrap_or(now), self.remove_at.unwrap_or(now));
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(removal) = self.removing.join_next() => self.removed(removal),
                () = sleep_until(remove_at), if self.remove_at.is_some() && self.removing.is_empty() => self.remove(),
                () = sleep_until(look_at), if has_link && self.look_at.is_some() => self.look().await,
                _ = shed.tick() => self.shed().await,
                _ = left.tick(), if has_link => self.take_over().await,
                Ok(()) = self.link.changed() => {
                    self.is_behind |= self.refused.len() > 0;
                    self.refused.clear();
                    self.look_within(Duration::ZERO);
                }
                () = outbox.lane().arrived() => {
                    self.tell_fresh().await;
                }
            }
        }
        while self.tell_fresh().await {}
        // What is not removed is told again after the next start, with the same id.
        self.settle().await;
        self.settle().await;
    }

    /// Tells what was committed just now; whether there was something.
    async fn tell_fresh(&mut self) -> bool {
        let taken = self.outbox.lane().take(TOGETHER);
        if taken.fell_out {
            tracing::warn!("changes come faster than they are announced; the store is looked through for them");
            self.is_behind = true;
            self.look_within(Duration::ZERO);
        }
        if taken.untold.is_empty() {
            return false;
        }
        let mut ready: Vec<Untold> = Vec::with_capacity(taken.untold.len());
        let mut here = Vec::new();
        for untold in taken.untold {
            if self.told.contains(&untold.id) {
                continue;
            }
            if self.refused.holds(&untold.announcement.channel) {
                // Behind others in the store, delivered here at once.
                here.push(untold);
                continue;
            }
            let is_before = |id: &Arc<str>| {
                self.told.contains(id) || self.refused.contains(id) || ready.iter().any(|before| before.id == *id)
            };
            if self.is_behind || untold.behind.iter().all(is_before) {
                ready.push(untold);
            } else {
                // The store has it, behind what another instance is to tell first.
                self.look_within(self.pause);
            }
        }
        // One that lies ahead was saved before the clock was stepped back, nobody knows when.
        let is_ours = |untold: &Untold| now_milliseconds().abs_diff(untold.at) < SURELY_OURS;
        let route = match ready.first() {
            _ if self.is_behind => Route::Here,
            Some(oldest) if is_ours(oldest) => Route::First,
            _ => Route::Again,
        };
        self.publish(ready, route).await;
        self.publish(here, Route::Here).await;
        if self.removals.len() >= REMOVED_TOGETHER && self.removing.is_empty() {
            self.remove();
        }
        true
    }

    /// Looks through the store for what is to be told, and tells it, the oldest first.
    async fn look(&mut self) {
        self.look_at = None;
        while !self.stop.is_cancelled() {
            self.settle().await;
            let found = self.outbox.first(TOGETHER + self.unremoved.len() + self.refused.len()).await;
            let Some(mut found) = self.answered(found) else {
                return self.look_within(LOOK_EVERY);
            };
            found.untold.retain(|untold| !self.unremoved.contains(&untold.id));
            let passed_over = self.refused.len();
            let has_room = self.refused.pass_over(&mut found.untold, Instant::now());
            if let Some(at) = self.refused.next_retry() {
                self.look_within(at.saturating_duration_since(Instant::now()));
            }
            if found.untold.is_empty() {
                if has_room && self.refused.len() > passed_over {
                    // All that was found waits for refused channels: there may be others behind them.
                    continue;
                }
                self.is_behind = !has_room;
                if found.is_blocked {
                    self.look_within(self.pause);
                    self.pause = (self.pause * 2).min(LOOK_AGAIN_AFTER);
                } else {
                    self.pause = LOOK_BEHIND_AFTER;
                }
                return;
            }
            if !self.publish(found.untold, Route::Again).await {
                return;
            }
        }
    }

    /// Publishes, in this order; whether all of it is published for good, but for what waits for a refused channel.
    async fn publish(&mut self, untold: Vec<Untold>, route: Route) -> bool {
        let names: Vec<(Arc<str>, Channel)> =
            untold.iter().map(|untold| (Arc::clone(&untold.id), untold.announcement.channel.clone())).collect();
        let drafts = untold.into_iter().map(|untold| draft(untold, route)).collect();
        let mut is_all = true;
        for ((id, channel), result) in names.into_iter().zip(self.hub.publish_all(drafts).await) {
            match result {
                Ok(receipt) if !receipt.fallback => {
                    self.refused.remove(&channel, &id);
                    self.counts.told.fetch_add(1, Ordering::Relaxed);
                }
                // Delivered here; the store publishes it with those before it.
                Ok(_) if route == Route::Here && self.refused.holds(&channel) => continue,
                // The link is there, so it is the channel: the others go on.
                Ok(_) if route != Route::Here && *self.link.borrow() == Link::Up => {
                    self.refused.insert(&channel, &id, Instant::now(), dice());
                    continue;
                }
                // The store keeps it for the others.
                Ok(_) | Err(PublishError::Stopping) => {
                    is_all = false;
                    continue;
                }
                Err(error @ (PublishError::TooLarge | PublishError::Unfit(_))) => {
                    tracing::error!(%id, %error, "an announcement was dropped");
                    self.counts.dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
            self.told.insert(Arc::clone(&id));
            self.unremoved.insert(Arc::clone(&id));
            self.removals.push(id);
            self.remove_at.get_or_insert_with(|| Instant::now() + REMOVE_AFTER);
        }
        if !is_all {
            self.is_behind = true;
            self.look_within(LOOK_AGAIN_AFTER);
        }
        is_all
    }

    /// Begins to remove what is told.
    fn remove(&mut self) {
        self.remove_at = None;
        if !self.removals.is_empty() {
            let (ids, outbox) = (std::mem::take(&mut self.removals), Arc::clone(&self.outbox));
            self.removing.spawn(async move {
                let removed = outbox.remove(&ids).await;
                (ids, removed)
            });
        }
    }

    /// What was not removed is tried again.
    fn removed(&mut self, removal: Result<Removal, JoinError>) {
        let Ok((ids, removed)) = removal else { return };
        if self.answered(removed).is_some() {
            for id in &ids {
                self.unremoved.remove(id);
            }
        } else {
            self.removals.extend(ids);
            self.remove_at = Some(Instant::now() + REMOVE_AGAIN_AFTER);
        }
    }

    /// Gives what is told a moment to be removed, so that it is not found again.
    async fn settle(&mut self) {
        let soon = Instant::now() + REMOVE_AFTER;
        if self.removing.is_empty() && self.remove_at.is_some_and(|at| at <= soon) {
            self.remove();
        }
        if let Ok(Some(removal)) = timeout(REMOVE_WITHIN, self.removing.join_next()).await {
            self.removed(removal);
        }
    }

    /// Takes over what other instances left, and looks for it.
    async fn take_over(&mut self) {
        let taken = self.outbox.take_over().await;
        if self.answered(taken).is_some() {
            self.look_within(Duration::ZERO);
        }
    }

    /// Drops what is too old or too much.
    async fn shed(&mut self) {
        let shed = self.outbox.shed().await;
        if let Some(dropped @ 1..) = self.answered(shed) {
            tracing::error!(dropped, "announcements were dropped: too old, or too many wait for Redis");
            self.counts.dropped.fetch_add(dropped, Ordering::Relaxed);
        }
    }

    fn look_within(&mut self, pause: Duration) {
        let at = Instant::now() + pause;
        self.look_at = Some(self.look_at.map_or(at, |before| before.min(at)));
    }

    /// The answer of the store, if there is one; says so when it goes away and when it is back.
    fn answered<T>(&mut self, answer: Result<T, StoreError>) -> Option<T> {
        match answer {
            Ok(answer) => {
                self.is_store_away = false;
                Some(answer)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_store_away, true) {
                    tracing::warn!(%error, "announcements wait for the store");
                }
                None
            }
        }
    }
}

fn draft(untold: Untold, route: Route) -> Draft {
    let Untold { id, at, announcement, .. } = untold;
    Draft {
        channel: announcement.channel,
        payload: announcement.payload,
        uuid: announcement.publisher.uuid,
        username: announcement.publisher.username,
        saved: Some(Saved { id, timestamp: at, route }),
    }
}
