//! The statuses of users.

use async_trait::async_trait;

use super::{Publisher, StoreError};
use crate::{account::User, user_status::UserStatus};

/// Statuses of users, the same on every instance.
#[async_trait]
pub trait UserStatuses: Send + Sync + 'static {
    /// The status of the user of this name, in any case; `Online` of one who never set any.
    async fn of(&self, username: &str) -> Result<UserStatus, StoreError>;
    /// Saves it, then broadcasts it to every open page; a failed broadcast is no error.
    async fn set(&self, user: &User, status: UserStatus, publisher: Publisher) -> Result<(), StoreError>;
}
