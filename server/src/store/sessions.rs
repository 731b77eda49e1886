//! Sessions as they are kept behind Redis.

use app::ports::StoreError;
use async_trait::async_trait;

/// One session on its way to the store or back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// Names it.
    pub id: String,
    /// What it holds, as JSON.
    pub json: String,
    /// Whose it is; empty when nobody is signed in.
    pub user_id: String,
    /// When it began, in milliseconds since 1970.
    pub since: u64,
    /// When it ends unless it is used, in milliseconds since 1970.
    pub ends_at: u64,
}

/// The second place for sessions, for when Redis forgets.
///
/// A session that was ended stays known as such until it would have expired: whoever keeps it later,
/// because the news of its end was late, changes nothing.
#[async_trait]
pub trait SessionBackup: Send + Sync + 'static {
    /// Keeps it as it is now.
    async fn keep(&self, session: &StoredSession) -> Result<(), StoreError>;
    /// The one with this id, unless it is over.
    async fn load(&self, id: &str) -> Result<Option<StoredSession>, StoreError>;
    /// Those that are not over, in the order of their ids behind `after`, at most `limit`.
    async fn page(&self, after: Option<&str>, limit: usize) -> Result<Vec<StoredSession>, StoreError>;
    /// Ends one. What is left of it is removed at `forget_at`, in milliseconds since 1970.
    async fn end(&self, id: &str, forget_at: u64) -> Result<(), StoreError>;
    /// Ends those of a user that began at `until` or before.
    async fn end_all(&self, user_id: &str, until: u64, forget_at: u64) -> Result<(), StoreError>;
}
