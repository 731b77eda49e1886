//! Documents: one embedded file, or MongoDB. The truth that broadcasts are news of.
//!
//! A collection is a port of [`app::ports`] with one file in `store/embedded/` and one in
//! `store/mongo/`; [`Store`] hands them out, whichever is behind it. A change and its announcement are
//! saved together and wait in the [`Outbox`] until the announcement is published.

mod carts;
mod config;
mod cursor;
mod embedded;
mod endpoints;
mod facts;
mod history;
mod mongo;
mod open_error;
mod outbox;
mod sessions;
mod users;

use std::{path::Path, sync::Arc};

use app::ports::{Carts, Notifications, StoreError, Texts, Todos};
use async_trait::async_trait;

use crate::config::Config;

pub use self::{
    config::{ConfigDocument, ConfigDocuments, ConfigName, ConfigPattern, NameError, WriteError},
    endpoints::EndpointStore,
    facts::StoreFacts,
    open_error::OpenError,
    outbox::{KEPT, KEPT_FOR, Lane, Outbox, Taken, Untold, Waiting},
    sessions::{SessionBackup, StoredSession},
    users::{NewUser, StoredUser, Users},
};

/// Notifications of administrators that are kept at most; the oldest go.
const NOTIFICATIONS_KEPT: u64 = 1_000;

/// Bytes of a text's edits that are kept at most, as JSON; the oldest go.
const EDITS_BYTES: usize = 512 * 1024;

/// An opened store. Clones share it.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = server::store::Store::embedded("./data".as_ref()).await?;
/// let page = store.todos().list(20, None).await?;
/// assert_eq!(store.mode(), "embedded");
/// store.close().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Store {
    backend: Arc<dyn Backend>,
    todos: Arc<dyn Todos>,
    texts: Arc<dyn Texts>,
    carts: Arc<dyn Carts>,
    notifications: Arc<dyn Notifications>,
    users: Arc<dyn Users>,
    config: Arc<dyn ConfigDocuments>,
    endpoints: Arc<dyn EndpointStore>,
    sessions: Option<Arc<dyn SessionBackup>>,
    outbox: Arc<dyn Outbox>,
}

impl Store {
    /// The store of this configuration.
    ///
    /// # Errors
    ///
    /// As the one that is configured.
    pub async fn open(config: &Config) -> Result<Self, OpenError> {
        if config.mongodb.uri.is_empty() {
            Self::embedded(&config.server.data_dir).await
        } else {
            Self::mongo(&config.mongodb.uri).await
        }
    }

    /// Opens the file `jpulse.redb` in this directory; both are made when missing.
    ///
    /// # Errors
    ///
    /// When another process has the file, it cannot be written, or it is damaged.
    pub async fn embedded(data_dir: &Path) -> Result<Self, OpenError> {
        let embedded = Arc::new(embedded::Embedded::open(data_dir).await?);
        Ok(Self {
            todos: Arc::new(embedded::Todos::new(Arc::clone(&embedded))),
            texts: Arc::new(embedded::Texts::new(Arc::clone(&embedded))),
            carts: Arc::new(embedded::Carts::new(Arc::clone(&embedded))),
            notifications: Arc::new(embedded::Notifications::new(Arc::clone(&embedded))),
            users: Arc::new(embedded::Users::new(Arc::clone(&embedded))),
            config: Arc::new(embedded::Config::new(Arc::clone(&embedded))),
            endpoints: Arc::new(embedded::Endpoints::new(Arc::clone(&embedded))),
            sessions: None,
            outbox: Arc::clone(&embedded) as Arc<dyn Outbox>,
            backend: embedded,
        })
    }

    /// Prepares for the MongoDB at this address; its first use connects, so that an absent one stops
    /// no instance.
    ///
    /// # Errors
    ///
    /// When the address is malformed.
    pub async fn mongo(uri: &str) -> Result<Self, OpenError> {
        let mongo = Arc::new(mongo::Mongo::new(uri).await?);
        Ok(Self {
            todos: Arc::new(mongo::Todos::new(Arc::clone(&mongo))),
            texts: Arc::new(mongo::Texts::new(Arc::clone(&mongo))),
            carts: Arc::new(mongo::Carts::new(Arc::clone(&mongo))),
            notifications: Arc::new(mongo::Notifications::new(Arc::clone(&mongo))),
            users: Arc::new(mongo::Users::new(Arc::clone(&mongo))),
            config: Arc::new(mongo::Config::new(Arc::clone(&mongo))),
            endpoints: Arc::new(mongo::Endpoints::new(Arc::clone(&mongo))),
            sessions: Some(Arc::new(mongo::Sessions::new(Arc::clone(&mongo)))),
            outbox: Arc::clone(&mongo) as Arc<dyn Outbox>,
            backend: mongo,
        })
    }

    /// The to-do list.
    pub fn todos(&self) -> Arc<dyn Todos> {
        Arc::clone(&self.todos)
    }

    /// The text that everybody edits.
    pub fn texts(&self) -> Arc<dyn Texts> {
        Arc::clone(&self.texts)
    }

    /// The shopping carts.
    pub fn carts(&self) -> Arc<dyn Carts> {
        Arc::clone(&self.carts)
    }

    /// What administrators told everybody.
    pub fn notifications(&self) -> Arc<dyn Notifications> {
        Arc::clone(&self.notifications)
    }

    /// The accounts.
    pub fn users(&self) -> Arc<dyn Users> {
        Arc::clone(&self.users)
    }

    /// The configuration documents.
    pub fn config(&self) -> Arc<dyn ConfigDocuments> {
        Arc::clone(&self.config)
    }

    /// How the database behind it is, by its own word.
    pub async fn facts(&self) -> StoreFacts {
        self.backend.facts().await
    }

    /// The WebSocket endpoints that administrators made.
    pub fn endpoints(&self) -> Arc<dyn EndpointStore> {
        Arc::clone(&self.endpoints)
    }

    /// A second place for sessions; `None` in a store that one instance has to itself.
    pub fn sessions(&self) -> Option<Arc<dyn SessionBackup>> {
        self.sessions.clone()
    }

    /// Whether other instances may use it too.
    pub fn is_shared(&self) -> bool {
        self.sessions.is_some()
    }

    /// The announcements of changes that are not told yet.
    pub fn outbox(&self) -> Arc<dyn Outbox> {
        Arc::clone(&self.outbox)
    }

    /// What is behind it: `embedded` or `mongodb`.
    pub fn mode(&self) -> &'static str {
        self.backend.mode()
    }

    /// Whether the store answers now.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.backend.ping().await
    }

    /// Ends what is under way and lets go of the file or the connections; whoever still holds a
    /// collection finds it unavailable. Idempotent.
    pub async fn close(&self) {
        self.backend.close().await;
    }
}

/// What every implementation does for [`Store`], beside its collections.
#[async_trait]
trait Backend: Send + Sync + 'static {
    fn mode(&self) -> &'static str;
    async fn ping(&self) -> Result<(), StoreError>;
    async fn facts(&self) -> StoreFacts;
    async fn close(&self);
}
