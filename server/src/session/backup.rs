//! Hands sessions to the store behind Redis, beside the requests.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{endings::Ending, facts::Kept};
use crate::store::{SessionBackup, StoredSession};

/// What waits to be written at most. A session that finds no room is handed over again when it is used.
const WAITING: usize = 10_000;
/// Pause before what was not written is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long the stop waits for what is still to be written.
const LAST_WITHIN: Duration = Duration::from_secs(2);

/// The way to the second place for sessions.
pub(super) struct Backup {
    store: Arc<dyn SessionBackup>,
    jobs: mpsc::Sender<Job>,
}

enum Job {
    Keep(StoredSession),
    End(Ending, u64),
}

impl Backup {
    pub(super) fn start(store: Arc<dyn SessionBackup>, tasks: &TaskTracker, stop: CancellationToken) -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING);
        tasks.spawn(write(Arc::clone(&store), waiting, stop));
        Self { store, jobs }
    }

    pub(super) fn keep(&self, id: &str, kept: &Kept) {
        let (user_id, since) = kept.facts().map(|facts| (facts.user.id, facts.since)).unwrap_or_default();
        let session = StoredSession { id: id.to_owned(), json: kept.to_json(), user_id, since, ends_at: kept.ends_at };
        if self.jobs.try_send(Job::Keep(session)).is_err() {
            tracing::debug!("a session waits for its backup");
        }
    }

    /// Ends it there too; what is left of it is removed at `forget_at`.
    pub(super) fn end(&self, ending: &Ending, forget_at: u64) {
        if self.jobs.try_send(Job::End(ending.clone(), forget_at)).is_err() {
            tracing::error!("the backup of sessions does not know of an end: it takes no more just now");
        }
    }

    /// The session, when the store has it and answers.
    pub(super) async fn load(&self, id: &str) -> Option<Kept> {
        match self.store.load(id).await {
            Ok(found) => read(found?).map(|(_, kept)| kept),
            Err(error) => {
                tracing::debug!(%error, "the backup of sessions does not answer");
                None
            }
        }
    }

    /// Sessions in the order of their ids behind `after`; none when the store does not answer.
    pub(super) async fn page(&self, after: Option<&str>, limit: usize) -> Vec<(String, Kept)> {
        match self.store.page(after, limit).await {
            Ok(page) => page.into_iter().filter_map(read).collect(),
            Err(error) => {
                tracing::warn!(%error, "sessions are not restored from their backup");
                Vec::new()
            }
        }
    }
}

fn read(session: StoredSession) -> Option<(String, Kept)> {
    let kept = Kept::parse(&session.json)?;
    Some((session.id, Kept { ends_at: session.ends_at, ..kept }))
}

async fn write(store: Arc<dyn SessionBackup>, mut waiting: mpsc::Receiver<Job>, stop: CancellationToken) {
    let mut is_away = false;
    while let Some(Some(job)) = stop.run_until_cancelled(waiting.recv()).await {
        while let Err(error) = perform(&*store, &job).await {
            if !std::mem::replace(&mut is_away, true) {
                tracing::warn!(%error, "sessions wait for their backup");
            }
            if stop.run_until_cancelled(sleep(AGAIN_AFTER)).await.is_none() {
                return;
            }
        }
        is_away = false;
    }
    let rest = async {
        while let Ok(job) = waiting.try_recv() {
            if let Err(error) = perform(&*store, &job).await {
                tracing::warn!(%error, "the last sessions have no backup");
                return;
            }
        }
    };
    if timeout(LAST_WITHIN, rest).await.is_err() {
        tracing::warn!("the last sessions have no backup");
    }
}

async fn perform(store: &dyn SessionBackup, job: &Job) -> Result<(), app::ports::StoreError> {
    match job {
        Job::Keep(session) => store.keep(session).await,
        Job::End(Ending::Session { id, .. }, forget_at) => store.end(id, *forget_at).await,
        Job::End(Ending::User { user, until }, forget_at) => store.end_all(user, *until, *forget_at).await,
    }
}
