//! Configuration: small documents that are read far more often than written.

use app::ports::StoreError;
use async_trait::async_trait;
use serde_json::Value;
use thiserror::Error;

/// Names of collections that hold something else and are none of these documents'.
pub(super) const RESERVED: [&str; 11] = [
    "users",
    "carts",
    "helloTodos",
    "helloTodoHistory",
    "helloTexts",
    "sessionBackup",
    "systemNotifications",
    "announcements",
    "sessions",
    "wsEndpoints",
    "outbox",
];
/// Characters of a collection's name at most.
const COLLECTION_CHARS: usize = 64;
/// Characters of a key at most.
const KEY_CHARS: usize = 200;
/// What Redis keeps beside a value ends so: such a key would stand in its place.
const SUFFIXES: [&str; 2] = [":updated", ":version"];

/// Which document: a collection and a key in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConfigName {
    collection: String,
    key: String,
}

/// Which documents: one, or all of a collection whose keys begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigPattern {
    /// This one: `collection:key`.
    One(ConfigName),
    /// All with this beginning: `collection:*`, `collection:app:*`.
    Below {
        /// The collection.
        collection: String,
        /// What their keys begin with; empty for all of it.
        start: String,
    },
}

/// A document as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigDocument {
    /// The key within its collection.
    pub key: String,
    /// What was set; never `null`.
    pub value: Value,
    /// When, in milliseconds since 1970; later with each change of the key.
    pub updated_at: u64,
    /// 1 for the first, one more with each change.
    pub version: u64,
}

/// The configuration documents of a store.
#[async_trait]
pub trait ConfigDocuments: Send + Sync + 'static {
    /// The document of this name.
    async fn get(&self, name: &ConfigName) -> Result<Option<ConfigDocument>, StoreError>;
    /// Sets its value and gives it the next version; of several at once, each gets its own. With `expected`
    /// only when that is the version it has; 0 is the version of what is not there.
    async fn put(&self, name: &ConfigName, value: &Value, expected: Option<u64>) -> Result<ConfigDocument, WriteError>;
    /// Removes it; whether it was there.
    async fn remove(&self, name: &ConfigName) -> Result<bool, StoreError>;
    /// The keys of a collection that begin with `start`, in their order, up to `limit`.
    async fn keys(&self, collection: &str, start: &str, limit: usize) -> Result<Vec<String>, StoreError>;
    /// Every document of a collection by key, up to `limit`.
    async fn list(&self, collection: &str, limit: usize) -> Result<Vec<ConfigDocument>, StoreError>;
}

/// Why a document was not written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// It has another version than expected.
    #[error("the document has version {0} by now")]
    Conflict(u64),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why this names no document; the text is for whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// The collection.
    #[error(
        "A collection is 1 to {COLLECTION_CHARS} of A-Z a-z 0-9 _ -, begins with a letter, and is not one the server keeps."
    )]
    Collection,
    /// The key.
    #[error(
        "A key is 1 to {KEY_CHARS} of A-Z a-z 0-9 _ . : -, begins with none of `.` and `:`, and does not end in `:updated` or `:version`."
    )]
    Key,
}

impl ConfigName {
    /// Checks both parts.
    ///
    /// # Errors
    ///
    /// When there could be no such document.
    ///
    /// ```
    /// use server::store::ConfigName;
    /// assert!(ConfigName::parse("config", "api:rate_limit").is_ok());
    /// for (collection, key) in [("users", "admin"), ("config", "$where"), ("config", ".a"), ("config", "")] {
    ///     assert!(ConfigName::parse(collection, key).is_err());
    /// }
    /// ```
    pub fn parse(collection: &str, key: &str) -> Result<Self, NameError> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let begins_with_letter = collection.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
        let is_reserved = RESERVED.contains(&collection) || collection.starts_with("system");
        if collection.len() > COLLECTION_CHARS || !begins_with_letter || !collection.bytes().all(is_word) || is_reserved
        {
            return Err(NameError::Collection);
        }
        let is_allowed = |byte: u8| is_word(byte) || b".:".contains(&byte);
        let is_key = (1..=KEY_CHARS).contains(&key.len())
            && key.bytes().all(is_allowed)
            && !key.starts_with(['.', ':'])
            && !SUFFIXES.iter().any(|suffix| key.ends_with(suffix));
        if !is_key {
            return Err(NameError::Key);
        }
        Ok(Self { collection: collection.to_owned(), key: key.to_owned() })
    }

    /// The collection.
    pub fn collection(&self) -> &str {
        &self.collection
    }

    /// The key in it.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl ConfigPattern {
    /// Reads `collection:key`, in which one `*` at the very end stands for the rest of the key.
    ///
    /// # Errors
    ///
    /// When there could be no such document.
    ///
    /// ```
    /// use server::store::ConfigPattern;
    /// for pattern in ["config:app:name", "config:app:*", "features:*"] {
    ///     assert!(ConfigPattern::parse(pattern).is_ok());
    /// }
    /// for wrong in ["config", "config:a*b", "config:*:a", "*", "users:*", "config:**"] {
    ///     assert!(ConfigPattern::parse(wrong).is_err(), "{wrong}");
    /// }
    /// ```
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let (collection, key) = text.split_once(':').ok_or(NameError::Key)?;
        let Some(start) = key.strip_suffix('*') else { return ConfigName::parse(collection, key).map(Self::One) };
        // With any letter behind it the beginning must make a key.
        ConfigName::parse(collection, &format!("{start}a"))?;
        Ok(Self::Below { collection: collection.to_owned(), start: start.to_owned() })
    }
}
