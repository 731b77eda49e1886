//! Who is signed in: sessions that every instance knows, that outlive Redis and never come back once over.
//!
//! The path of one session: a sign-in ([`visitor`]) makes it, the layer ([`layer`]) gives its signed name to
//! the browser as a cookie, [`Sessions`] keeps it in Redis and in this instance's memory. A request with
//! the cookie loads it from Redis, which prolongs its life; while Redis is away, from memory. When Redis
//! is back, [`repair`] tells it first what ended meanwhile, then what it lacks. Its end is written where
//! every instance finds it, announced to all of them ([`watch`]), and takes the browser's sockets along.
//!
//! Redis has lost data when its state has another name than before: then everything remembered is put back. A
//! single key that is missing was evicted, unless its session was ended or its time is up ([`lost`]).

mod alive;
mod attempts;
mod backup;
mod endings;
mod facts;
mod layer;
mod lost;
mod memory;
mod remote;
mod repair;
mod secret;
mod store;
mod visitor;
mod watch;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore, mpsc},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    bus::{Keys, TopicInbox, Topics},
    clock::now_milliseconds,
    config::SessionsConfig,
    store::SessionBackup,
};
use backup::Backup;
use endings::Ending;
use facts::Kept;
use lost::{AskedFor, Sought};
use memory::Memory;
use remote::Remote;

pub use facts::Facts;
pub use layer::Door;
pub use lost::FAMILY;
pub use secret::{SecretError, cookie_key, kept_secret};
pub use visitor::RequestVisitor;
pub use watch::Watch;

/// How long after Redis was found anew a session that is not there may be on its way from elsewhere.
const UNSETTLED_FOR: Duration = Duration::from_secs(4);
/// Ends that wait to be announced; beyond, instances find out by themselves within seconds.
const ANNOUNCED: usize = 1_024;
/// How often a session that is used is handed to the backup again.
const BACKED_UP_EVERY: Duration = Duration::from_mins(5);
/// Requests that look for a lost session at once; more are answered as a guest's.
const SEEKERS: usize = 256;
/// Sessions of a user that are looked at for a list.
const LISTED: usize = 100;

/// The sessions of the site. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    inner: Arc<Inner>,
}

struct Inner {
    life: Duration,
    remote: Option<Remote>,
    topics: Topics,
    backup: Option<Backup>,
    memory: Mutex<Memory>,
    asked_for: Mutex<AskedFor>,
    /// Counts the states Redis was found in.
    state: AtomicU64,
    found: Mutex<Found>,
    repair_wanted: Notify,
    /// Something ended: whoever holds sockets looks.
    ended: Notify,
    announced: mpsc::Sender<Ending>,
    seekers: Semaphore,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What is known of Redis's data.
#[derive(Default)]
struct Found {
    /// The name of their state.
    name: Option<String>,
    /// Whether the link was lost since.
    is_anew: bool,
    /// When every instance has put back what it remembers.
    settled_at: Option<Instant>,
}

/// Ends that every other instance is to hear of, for [`Watch`].
pub struct Announced(mpsc::Receiver<Ending>);

impl Sessions {
    /// Starts with what Redis has, when there is one; asks other instances on `topics` of [`FAMILY`]; `backup` is
    /// for hybrid storage.
    pub fn start(
        config: &SessionsConfig,
        keys: Option<Keys>,
        (topics, inbox): (Topics, TopicInbox),
        backup: Option<Arc<dyn SessionBackup>>,
    ) -> (Self, Announced) {
        let (announced, waiting) = mpsc::channel(ANNOUNCED);
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let backup = backup.map(|store| Backup::start(store, &tasks, stop.clone()));
        let inner = Inner {
            life: config.ttl(),
            remote: keys.map(|keys| Remote::new(keys, config.ttl())),
            topics,
            backup,
            memory: Mutex::new(Memory::new(config.memory_sessions)),
            asked_for: Mutex::default(),
            state: AtomicU64::new(1),
            found: Mutex::default(),
            repair_wanted: Notify::new(),
            ended: Notify::new(),
            announced,
            seekers: Semaphore::new(SEEKERS),
            tasks: tasks.clone(),
            stop,
        };
        let sessions = Self { inner: Arc::new(inner) };
        if sessions.inner.remote.is_some() {
            tasks.spawn(repair::run(Arc::clone(&sessions.inner)));
            let stop = sessions.inner.stop.clone();
            tasks.spawn(stop.run_until_cancelled_owned(lost::answer(Arc::clone(&sessions.inner), inbox)));
        }
        (sessions, Announced(waiting))
    }

    /// How long a session lives without being used.
    pub fn life(&self) -> Duration {
        self.inner.life
    }

    /// How many live sessions this instance remembers: without Redis all there are.
    pub fn in_memory(&self) -> u64 {
        u64::try_from(self.inner.memory().live()).unwrap_or(u64::MAX)
    }

    /// Ends one session everywhere.
    pub async fn end(&self, id: &str) {
        let user = self.inner.memory().get(id).and_then(Kept::facts).map(|facts| facts.user.id);
        let user = match (user, &self.inner.remote) {
            (None, Some(remote)) => {
                let kept = remote.peek(id).await.ok().flatten();
                kept.and_then(|kept| kept.facts()).map(|facts| facts.user.id)
            }
            (user, _) => user,
        };
        self.inner.end(Ending::Session { id: id.to_owned(), user: user.unwrap_or_default() }).await;
    }

    /// Ends everything a user has begun up to now, everywhere: also what began by a clock that was ahead.
    pub async fn end_all(&self, user_id: &str) {
        let sessions = self.of_user(user_id).await;
        let latest = sessions.iter().map(|(_, facts)| facts.since).max().unwrap_or_default();
        self.inner.end(Ending::User { user: user_id.to_owned(), until: now_milliseconds().max(latest) }).await;
    }

    /// A moment from which a session of this user is not over.
    pub async fn fresh_moment(&self, user_id: &str) -> u64 {
        let here = self.inner.memory().endings.until(user_id).unwrap_or_default();
        let everywhere = match &self.inner.remote {
            Some(remote) => remote.ended_until(user_id).await.unwrap_or_default(),
            None => 0,
        };
        now_milliseconds().max(here.max(everywhere) + 1)
    }

    /// The sessions of a user, those used last first.
    pub async fn of_user(&self, user_id: &str) -> Vec<(String, Facts)> {
        let remembered = self.inner.memory().of_user(user_id);
        let mut found: Vec<(String, Facts)> =
            remembered.into_iter().filter_map(|(id, kept)| Some((id, kept.facts()?))).collect();
        if let Some(remote) = &self.inner.remote
            && let Ok(ids) = remote.of_user(user_id).await
        {
            let mut gone = Vec::new();
            for id in ids.into_iter().take(LISTED) {
                let Ok(mut kept) = remote.peek(&id).await else { break };
                if kept.is_none()
                    && let Sought::Found(again) = self.inner.put_back(remote, &id).await
                {
                    kept = Some(again);
                }
                found.retain(|(known, _)| *known != id);
                match kept.and_then(|kept| kept.facts()) {
                    Some(facts) if facts.user.id == user_id => found.push((id, facts)),
                    _ => gone.push(id),
                }
            }
            if !gone.is_empty() && self.inner.is_settled() {
                // A set that cannot be tidied now is tidied the next time; a session that another instance puts
                // back is added again.
                let _ = remote.delist(user_id, &gone).await;
            }
        }
        found.sort_by_key(|(_, facts)| std::cmp::Reverse(facts.used));
        found
    }

    /// Which of these sessions are over.
    pub async fn over_among(&self, ids: &[Arc<str>]) -> HashSet<Arc<str>> {
        self.inner.over_among(ids).await
    }

    /// Hands what waits to the backup, and stops.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}

impl Inner {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked_for(&self) -> MutexGuard<'_, AskedFor> {
        self.asked_for.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> u64 {
        self.state.load(Ordering::Acquire)
    }

    /// Whether every instance has had the time to put back what it remembers.
    fn is_settled(&self) -> bool {
        let found = self.found();
        !found.is_anew && found.settled_at.is_none_or(|at| at <= Instant::now())
    }

    /// When a session that is used now ends unless it is used again.
    fn ends_at(&self) -> u64 {
        now_milliseconds().saturating_add(u64::try_from(self.life.as_millis()).unwrap_or(u64::MAX))
    }

    /// Ends it here, in Redis and in the backup, and lets the others know.
    async fn end(&self, ending: Ending) {
        self.end_here(&ending);
        if let Some(backup) = &self.backup {
            backup.end(&ending, self.ends_at());
        }
        if let Some(remote) = &self.remote
            && let Err(error) = remote.end(&ending).await
        {
            tracing::debug!(%error, "redis hears of an ended session later");
            self.memory().endings.tell_later(ending.clone());
            self.repair_wanted.notify_one();
        }
        // With no room left the others find out by themselves.
        let _ = self.announced.try_send(ending);
    }

    /// Ends it on this instance: somebody else told the others. Of a user's sessions Redis learns each that is
    /// remembered here: the set that names them may have been evicted.
    fn end_here(&self, ending: &Ending) {
        let mut memory = self.memory();
        let ended = memory.end(ending);
        if let (Ending::User { user, .. }, Some(_)) = (ending, &self.remote) {
            for id in ended {
                memory.endings.tell_later(Ending::Session { id, user: user.clone() });
            }
            self.repair_wanted.notify_one();
        }
        drop(memory);
        self.ended.notify_one();
    }

    /// Hands a session to the backup, when it is new or was not handed over for a while.
    fn back_up(&self, id: &str, kept: &Kept) {
        if let Some(backup) = &self.backup
            && self.memory().is_backup_due(id, BACKED_UP_EVERY)
        {
            backup.keep(id, kept);
        }
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sessions").field("life", &self.inner.life).finish_non_exhaustive()
    }
}
