//! What the server must supply so that pages work: the only way from a page to the world.

mod carts;
mod faults;
mod motto;
mod observatory;
mod texts;
mod user_statuses;
mod visitor;
mod web_sockets;

use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;
use wire::{Channel, Message, Pattern, Payload, Position, Receipt, UnfitPayload};

use crate::{
    account::PersonName,
    system_notification::{LoggedNotification, NotificationDraft},
    todo::{Title, Todo, TodoHistoryEntry, TodoPage},
};

pub use carts::Carts;
pub use faults::{FaultError, Faults};
pub use motto::{Mottos, SaveMottoError};
pub use observatory::{Features, Observatory, Site};
pub use texts::{SubmitError, Texts};
pub use user_statuses::UserStatuses;
pub use visitor::{CurrentVisitor, KnownUser, LogInError, Visitor};
pub use web_sockets::{DefineError, WebSockets};

/// Everything a page may use, provided as Leptos context and as axum state.
#[derive(Clone)]
pub struct Ports {
    /// Broadcasts between instances and to browsers.
    pub cluster: Arc<dyn Cluster>,
    /// The documents of the to-do list.
    pub todos: Arc<dyn Todos>,
    /// The text that everybody edits.
    pub texts: Arc<dyn Texts>,
    /// Shopping carts.
    pub carts: Arc<dyn Carts>,
    /// What administrators told everybody.
    pub notifications: Arc<dyn Notifications>,
    /// The whole cluster.
    pub observatory: Arc<dyn Observatory>,
    /// What users say of themselves.
    pub user_statuses: Arc<dyn UserStatuses>,
    /// Feature flags.
    pub features: Arc<dyn Features>,
    /// Title and banner.
    pub site: Arc<dyn Site>,
    /// The motto of the day, which shows how configuration travels.
    pub mottos: Arc<dyn Mottos>,
    /// WebSocket endpoints, for administrators.
    pub endpoints: Arc<dyn WebSockets>,
    /// Breaking things on purpose; only on a developer's own machine.
    pub faults: Option<Arc<dyn Faults>>,
}

/// Who publishes: decides who is left out by `omitSelf`, and the name others see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publisher {
    /// The browser tab, when a browser asked.
    pub uuid: Option<Arc<str>>,
    /// Empty for a guest.
    pub username: String,
    /// Where the account has one.
    pub name: PersonName,
}

/// Broadcasts, as a site owner's server code uses them.
///
/// ```no_run
/// # async fn example(cluster: &dyn app::ports::Cluster) -> Result<(), Box<dyn std::error::Error>> {
/// use app::ports::{CallbackOptions, Publisher};
/// use serde_json::json;
///
/// // Server to server: every other instance drops what it cached.
/// cluster.register_broadcast_callback(
///     "controller:myApp:cache:*".parse()?,
///     CallbackOptions::default(),
///     Box::new(|message| println!("{} said {}", message.instance_id, message.channel)),
/// );
///
/// // To every open browser, on every instance.
/// let payload = json!({ "text": "hello" }).as_object().cloned().unwrap_or_default();
/// let receipt = cluster
///     .publish_broadcast(&"view:myApp:news:published".parse()?, payload, Publisher::default())
///     .await?;
/// assert!(receipt.fallback || cluster.is_redis_available());
/// # Ok(()) }
/// ```
#[async_trait]
pub trait Cluster: Send + Sync + 'static {
    /// Publishes and waits for the receipt, at most 3 s with Redis down and 5 s with Redis hanging.
    /// Delivered on this instance in any case; `fallback` in the receipt when the others get it later.
    ///
    /// # Errors
    ///
    /// When the message is larger than the bus takes.
    async fn publish_broadcast(
        &self,
        channel: &Channel,
        payload: Payload,
        publisher: Publisher,
    ) -> Result<Receipt, PublishError>;

    /// Publishes behind the answer to a request: queued in order, never fails the request. Waits only
    /// while the queue (4,096 messages) is full. What is queued is lost when the instance is killed: news
    /// of a saved change belongs into the same transaction, see [`Tell`].
    async fn announce(&self, channel: &Channel, payload: Payload, publisher: Publisher);

    /// Calls `callback` with every message on a matching channel from now on, for as long as the
    /// instance runs, in the order of the channel's log. It must not block.
    fn register_broadcast_callback(&self, pattern: Pattern, options: CallbackOptions, callback: Callback);

    /// Whether a broadcast made now would reach the other instances.
    fn is_redis_available(&self) -> bool;

    /// Where the channel's log ends now: taken *before* a page reads its data, so that the browser
    /// resumes from there. `None` while no log can be reached.
    async fn position(&self, channel: &Channel) -> Option<Position>;

    /// Facts for the status page and route.
    fn status(&self) -> ClusterStatus;
}

/// Called with each message; see [`Cluster::register_broadcast_callback`].
pub type Callback = Box<dyn Fn(&Message) + Send + Sync>;

/// How a server-side callback listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallbackOptions {
    /// Which messages of this very instance it hears.
    pub own: OwnMessages,
}

/// Whether a callback hears what its own instance published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OwnMessages {
    /// As the layer has it: `view:` heard, `controller:` and `model:` omitted.
    #[default]
    ByLayer,
    /// Heard.
    Hear,
    /// Omitted (`omitSelf: true`).
    Omit,
}

/// News of a change, saved in one transaction with it and broadcast once it is safe.
#[derive(Clone, Debug, PartialEq)]
pub struct Announcement {
    /// Where everybody hears of it.
    pub channel: Channel,
    /// What they hear.
    pub payload: Payload,
    /// Who made the change.
    pub publisher: Publisher,
}

/// Says what is to be announced of a change; `None` when nobody is to hear of it.
///
/// Gets the document after the change; of a removed one, as it last was. It is called while the change
/// is being saved, more than once when two changes meet, so it only computes: no waiting, no I/O.
pub type Tell<T> = Box<dyn Fn(&T) -> Option<Announcement> + Send + Sync>;

/// Why a message was not taken.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The message is larger than [`wire::limits::FRAME_BYTES`].
    #[error("the message is larger than a broadcast may be")]
    TooLarge,
    /// Some readers would not get it as it is.
    #[error(transparent)]
    Unfit(#[from] UnfitPayload),
    /// The instance is stopping.
    #[error("the instance is stopping")]
    Stopping,
}

/// How this instance stands in its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterStatus {
    /// This instance.
    pub instance_id: Arc<str>,
    /// Whether other instances are reached: a state that lasts, not a short drop.
    pub is_redis_available: bool,
    /// Why they are not, in words.
    pub outage: Option<&'static str>,
    /// `single`, `cluster`, `sentinel` or `none`.
    pub redis_mode: &'static str,
    /// Sockets on the relay of this instance.
    pub sockets: usize,
    /// Whole seconds since the start.
    pub uptime_seconds: u64,
}

/// The documents of the to-do list.
///
/// A change and what `tell` says of it are saved together, both or neither. The announcement is then
/// broadcast without being waited for, in the order of the document's changes; an instance that is
/// killed in between broadcasts it when it is back, or another instance does that shares the store.
#[async_trait]
pub trait Todos: Send + Sync + 'static {
    /// One page, newest first by (`createdAt`, `_id`), behind `cursor`.
    async fn list(&self, limit: usize, cursor: Option<&str>) -> Result<TodoPage, StoreError>;
    /// Adds one; answers when it is safely stored.
    async fn create(&self, title: &Title, username: &str, tell: Tell<Todo>) -> Result<Todo, StoreError>;
    /// Turns done into not done and back; the todo after it.
    async fn toggle(&self, id: &str, tell: Tell<Todo>) -> Result<Todo, StoreError>;
    /// Removes one; the todo as it last was.
    async fn delete(&self, id: &str, tell: Tell<Todo>) -> Result<Todo, StoreError>;
    /// The audit trail, newest first: the latest [`TodoHistoryEntry::LIMIT`] announced changes, saved together with
    /// them.
    async fn history(&self, limit: usize) -> Result<Vec<TodoHistoryEntry>, StoreError>;
}

/// What administrators told everybody: the latest 1,000.
#[async_trait]
pub trait Notifications: Send + Sync + 'static {
    /// Keeps one, together with what `tell` says of it.
    async fn add(
        &self,
        draft: NotificationDraft,
        admin_user: &str,
        tell: Tell<LoggedNotification>,
    ) -> Result<LoggedNotification, StoreError>;
    /// The latest ones, newest first.
    async fn latest(&self, limit: usize) -> Result<Vec<LoggedNotification>, StoreError>;
}

/// Why the store did not do it.
#[derive(Debug, Error)]
pub enum StoreError {
    /// No document with this id.
    #[error("no such document")]
    NotFound,
    /// The id is not one a document could have.
    #[error("malformed id")]
    InvalidId,
    /// The cursor was not made by this list.
    #[error("malformed cursor")]
    InvalidCursor,
    /// The store cannot be reached or written just now.
    #[error("the store is not available: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
