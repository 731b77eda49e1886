//! The store file: opened, given up after a disk error, opened again.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, Instant},
};

use app::ports::StoreError;
use redb::{Database, WriteTransaction};

use super::super::OpenError;

/// Memory the library may use to cache pages.
const CACHE_BYTES: usize = 32 * 1024 * 1024;
/// How long a file that could not be written, or opened, is left alone: opening reads all of it.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// Makes sure that a collection's tables exist.
pub(super) type CreateTables = fn(&WriteTransaction) -> Result<(), redb::Error>;

/// One store file. Everything here blocks and belongs on a blocking thread.
///
/// After a disk error (full, unplugged) the library trusts nothing any more until the file is opened
/// anew. This does so at once: what was saved can be read on, changes are refused for a second and
/// then tried again, so that freeing some space is all the cure it takes.
pub(super) struct DataFile {
    path: PathBuf,
    tables: &'static [CreateTables],
    state: RwLock<State>,
}

enum State {
    Open { database: Database, refusal: Option<Refusal> },
    Failed(Refusal),
    Closed,
}

/// A disk error, fresh enough to answer with it.
#[derive(Clone)]
struct Refusal {
    cause: Arc<OpenError>,
    since: Instant,
}

impl Refusal {
    fn new(cause: OpenError) -> Self {
        Self { cause: Arc::new(cause), since: Instant::now() }
    }

    fn holds(&self) -> bool {
        self.since.elapsed() < RETRY_EVERY
    }
}

impl DataFile {
    /// Opens or makes the file and the tables in it.
    pub(super) fn open(path: PathBuf, tables: &'static [CreateTables]) -> Result<Self, OpenError> {
        let database = open_database(&path, tables)?;
        Ok(Self { path, tables, state: RwLock::new(State::Open { database, refusal: None }) })
    }

    /// Runs `look` on the file.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        self.recover();
        let seen = match &*self.look() {
            State::Open { database, .. } => look(database),
            state => return Err(self.fault_of(state)),
        };
        seen.map_err(|error| self.reopen(error))
    }

    /// Runs `change` on the file, unless changes are refused just now.
    pub(super) fn write<T>(&self, change: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        self.recover();
        let done = match &*self.look() {
            State::Open { database, refusal } if !refusal.as_ref().is_some_and(Refusal::holds) => change(database),
            state => return Err(self.fault_of(state)),
        };
        done.map_err(|error| self.reopen(error))
    }

    /// Why the file does not take changes, for whoever was waiting for one.
    pub(super) fn fault(&self) -> StoreError {
        self.fault_of(&self.look())
    }

    /// Lets go of the file for good, once nobody reads it any more.
    pub(super) fn close(&self) {
        self.replace(|_| State::Closed);
    }

    fn fault_of(&self, state: &State) -> StoreError {
        StoreError::Unavailable(match state {
            State::Failed(Refusal { cause, .. }) | State::Open { refusal: Some(Refusal { cause, .. }), .. } => {
                Box::new(Arc::clone(cause))
            }
            State::Closed => Box::new(OpenError::Closed { path: self.path.clone() }),
            State::Open { refusal: None, .. } => "the change was given up, nothing was written".into(),
        })
    }

    /// After a disk error: waits for whoever still reads, then opens the file anew.
    fn reopen(&self, error: redb::Error) -> StoreError {
        let refusal = Refusal::new(OpenError::of_file(&self.path, error));
        let cause = Arc::clone(&refusal.cause);
        self.replace(|state| match state {
            State::Open { database, .. } => {
                drop(database);
                self.opened(Some(refusal))
            }
            other => other,
        });
        StoreError::Unavailable(Box::new(cause))
    }

    /// Tries a file again that could not be opened a while ago.
    fn recover(&self) {
        let is_due = |state: &State| matches!(state, State::Failed(refusal) if !refusal.holds());
        if is_due(&self.look()) {
            self.replace(|state| if is_due(&state) { self.opened(None) } else { state });
        }
    }

    fn opened(&self, refusal: Option<Refusal>) -> State {
        match open_database(&self.path, self.tables) {
            Ok(database) => State::Open { database, refusal },
            Err(error) => State::Failed(Refusal::new(error)),
        }
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

fn open_database(path: &Path, tables: &[CreateTables]) -> Result<Database, OpenError> {
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
