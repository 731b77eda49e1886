//! Accounts as stored, the same in every store.

use app::{account::PersonName, ports::StoreError};
use async_trait::async_trait;

/// Who may sign in. Names are found whatever their case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredUser {
    /// Never given to another.
    pub id: String,
    /// As it was typed when the account was made.
    pub username: String,
    /// First and last name, where somebody gave them.
    pub name: PersonName,
    /// In the PHC string format.
    pub password_hash: String,
    /// What the user may do.
    pub roles: Vec<String>,
    /// Milliseconds since 1970.
    pub created_at: u64,
    /// Sessions begun before this moment, in milliseconds since 1970, are over.
    pub sessions_from: u64,
}

/// An account that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// As it was typed.
    pub username: String,
    /// First and last name; either may be empty.
    pub name: PersonName,
    /// In the PHC string format.
    pub password_hash: String,
    /// What the user may do.
    pub roles: Vec<String>,
}

/// The accounts of a site.
#[async_trait]
pub trait Users: Send + Sync + 'static {
    /// Adds one; `None` when there is one of this name already.
    async fn insert(&self, user: NewUser) -> Result<Option<StoredUser>, StoreError>;
    /// Replaces the one with the same id; whether there was one.
    async fn replace(&self, user: &StoredUser) -> Result<bool, StoreError>;
    /// The one of this name.
    async fn find(&self, username: &str) -> Result<Option<StoredUser>, StoreError>;
    /// Those with these ids, in any order; what nobody has is left out.
    async fn find_by_ids(&self, ids: &[String]) -> Result<Vec<StoredUser>, StoreError>;
    /// All of them, by name.
    async fn list(&self) -> Result<Vec<StoredUser>, StoreError>;
    /// Removes the one of this name; it as it last was.
    async fn remove(&self, username: &str) -> Result<Option<StoredUser>, StoreError>;
}

/// What names are compared by.
pub(super) fn name_key(username: &str) -> String {
    username.to_ascii_lowercase()
}
