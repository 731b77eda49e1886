//! Small values that scripts keep for a user, on every instance: what `jPulse.appCluster.cache` reads and writes.
//!
//! A cache: each value ends, and beyond a user's bounds those that end first are given up for a new one. With Redis the
//! values are there, in one hash a user; an instance that is alone keeps them in memory.

mod memory;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use thiserror::Error;

use crate::bus::{BusError, Keys, UserBounds};
use memory::Memory;

/// Bytes of a value at most, as JSON.
pub const VALUE_BYTES: usize = 64 * 1024;
/// What a user may have.
const BOUNDS: UserBounds = UserBounds { bytes: 1024 * 1024, values: 256 };
/// How long a value is kept at most, and one that says nothing of it.
pub const LIFE: Duration = Duration::from_hours(30 * 24);
/// Bytes of a category or a key at most.
const NAME_BYTES: usize = 100;
/// Stands between the two.
const BETWEEN: char = '\u{1f}';

/// All values of all users. Cheap to clone.
#[derive(Clone)]
pub struct UserCache {
    place: Place,
}

#[derive(Clone)]
enum Place {
    Redis(Keys),
    Here(Arc<Mutex<Memory>>),
}

/// Redis does not answer.
#[derive(Debug, Error)]
#[error("the values of users cannot be reached")]
pub struct Unreachable(#[from] BusError);

/// What a value of a user is called: a category and a key in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueName(String);

impl ValueName {
    /// Each of both has 1 to 100 bytes without control characters; `None` otherwise.
    pub fn parse(category: &str, key: &str) -> Option<Self> {
        let is_name = |text: &str| (1..=NAME_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
        (is_name(category) && is_name(key)).then(|| Self(format!("{category}{BETWEEN}{key}")))
    }

    /// As it stands in a hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl UserCache {
    /// In Redis, where it is configured.
    pub fn new(keys: Option<Keys>) -> Self {
        let place = keys.map_or_else(|| Place::Here(Arc::default()), Place::Redis);
        Self { place }
    }

    /// The value of this name as it was written.
    ///
    /// # Errors
    ///
    /// When Redis does not answer.
    pub async fn get(&self, user: &str, name: &ValueName) -> Result<Option<String>, Unreachable> {
        match &self.place {
            Place::Redis(keys) => Ok(keys.user_value(user, name.as_str()).await?),
            Place::Here(memory) => Ok(lock(memory).get(user, name, Instant::now()).map(str::to_owned)),
        }
    }

    /// Keeps a JSON text of at most [`VALUE_BYTES`], for at most [`LIFE`].
    ///
    /// # Errors
    ///
    /// When Redis does not answer; it may have been written then.
    pub async fn put(&self, user: &str, name: &ValueName, json: &str, life: Duration) -> Result<(), Unreachable> {
        let life = life.min(LIFE);
        match &self.place {
            Place::Redis(keys) => Ok(keys.put_user_value(user, name.as_str(), json, life, BOUNDS).await?),
            Place::Here(memory) => {
                lock(memory).put(user, name, json, life, Instant::now());
                Ok(())
            }
        }
    }

    /// Forgets a value; whether there was one.
    ///
    /// # Errors
    ///
    /// When Redis does not answer; it may be forgotten then.
    pub async fn remove(&self, user: &str, name: &ValueName) -> Result<bool, Unreachable> {
        match &self.place {
            Place::Redis(keys) => Ok(keys.remove_user_value(user, name.as_str()).await?),
            Place::Here(memory) => Ok(lock(memory).remove(user, name, Instant::now())),
        }
    }
}

fn lock(memory: &Mutex<Memory>) -> std::sync::MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_are_never_one() {
        let name = |category, key| ValueName::parse(category, key).map(|name| name.0);
        assert_ne!(name("a", "b/c"), name("a/b", "c"));
        for (category, key) in [("", "k"), ("c", ""), ("c\u{1f}", "k"), ("c", "\n"), (&*"x".repeat(101), "k")] {
            assert_eq!(name(category, key), None, "{category:?} {key:?}");
        }
    }
}
