//! The store file: opened, given up after a disk error, opened again.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, Instant},
};

use app::ports::StoreError;
use redb::{Database, WriteTransaction};

use super::super::OpenError;

/// Memory the library may use to cache pages.
const CACHE_BYTES: usize = 32 * 1024 * 1024;
/// A file that failed is tried again this often at most: opening reads all of it.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// Makes sure that a collection's tables exist.
pub(super) type CreateTables = fn(&WriteTransaction) -> Result<(), redb::Error>;

/// One store file. Everything here blocks and belongs on a blocking thread.
///
/// After a disk error (full, unplugged) the library trusts nothing any more until the file is opened
/// anew. This does so with the next use, so that freeing some space is all the cure it takes.
pub(super) struct DataFile {
    path: PathBuf,
    tables: &'static [CreateTables],
    state: RwLock<State>,
}

enum State {
    Open(Database),
    Failed { cause: Arc<OpenError>, since: Instant },
    Closed,
}

impl DataFile {
    /// Opens or makes the file and the tables in it.
    pub(super) fn open(path: PathBuf, tables: &'static [CreateTables]) -> Result<Self, OpenError> {
        let database = open_database(&path, tables)?;
        Ok(Self { path, tables, state: RwLock::new(State::Open(database)) })
    }

    /// Runs `work` on the file, opened anew if it failed before.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        self.recover();
        let failed = match &*self.look() {
            State::Open(database) => match work(database) {
                Ok(done) => return Ok(done),
                Err(error) => OpenError::of_file(&self.path, error),
            },
            state => return Err(self.fault_of(state)),
        };
        let cause = Arc::new(failed);
        self.replace(|state| match state {
            State::Open(_) => State::Failed { cause: Arc::clone(&cause), since: Instant::now() },
            other => other,
        });
        Err(StoreError::Unavailable(Box::new(cause)))
    }

    /// Why the file does not work, for whoever was waiting for it.
    pub(super) fn fault(&self) -> StoreError {
        self.fault_of(&self.look())
    }

    fn fault_of(&self, state: &State) -> StoreError {
        StoreError::Unavailable(match state {
            State::Failed { cause, .. } => Box::new(Arc::clone(cause)),
            State::Closed => Box::new(OpenError::Closed { path: self.path.clone() }),
            State::Open(_) => "the change was given up, nothing was written".into(),
        })
    }

    /// Lets go of the file for good, once nobody reads it any more.
    pub(super) fn close(&self) {
        self.replace(|_| State::Closed);
    }

    fn recover(&self) {
        let is_due = |state: &State| matches!(state, State::Failed { since, .. } if since.elapsed() >= RETRY_EVERY);
        if !is_due(&self.look()) {
            return;
        }
        self.replace(|state| {
            if !is_due(&state) {
                return state;
            }
            match open_database(&self.path, self.tables) {
                Ok(database) => State::Open(database),
                Err(error) => State::Failed { cause: Arc::new(error), since: Instant::now() },
            }
        });
    }

    fn look(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, next: impl FnOnce(State) -> State) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let now = std::mem::replace(&mut *state, State::Closed);
        *state = next(now);
    }
}

fn open_database(path: &std::path::Path, tables: &[CreateTables]) -> Result<Database, OpenError> {
    let open = || -> Result<Database, redb::Error> {
        let database =
            Database::builder().set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true).create(path)?;
        let transaction = database.begin_write()?;
        tables.iter().try_for_each(|create| create(&transaction))?;
        transaction.commit()?;
        Ok(database)
    };
    // The library panics on some damage that its checks do not reach.
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(opened) => opened.map_err(|error| OpenError::of_file(path, error)),
        Err(_) => Err(OpenError::Damaged { path: path.to_owned(), cause: "its pages contradict each other".into() }),
    }
}
