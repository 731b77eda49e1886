//! The level all instances share: `config:{collection}:{key}` in Redis.
//!
//! The value stands alone under its key, as JSON, so that other programs can read it; `…:updated` and
//! `…:version` beside it say how new it is. A value that is not there is `null`, for a short while.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ABSENT_FOR, FEATURES};
use crate::{
    bus::{BusError, Keys, Put, Topics},
    clock::now_milliseconds,
    store::{ConfigDocument, ConfigName},
};

/// How long a value lives.
const LIFE: Duration = Duration::from_mins(10);
/// The same for feature flags.
const FLAG_LIFE: Duration = Duration::from_mins(1);
/// What topics of configuration begin with.
pub const FAMILY: &str = "cache:";
/// Where changes are told.
pub(super) const INVALIDATE: &str = "cache:invalidate";
/// What every key begins with.
const START: &str = "config:";

pub(super) struct Remote {
    keys: Keys,
    pub(super) topics: Topics,
}

/// What Redis has of one name.
pub(super) enum RemoteValue {
    /// Nothing.
    Nothing,
    /// That there is no value.
    Absent,
    /// A value, but not how new it is: that was evicted. It must not get the age of another beside it.
    Undated,
    /// The value.
    Document(ConfigDocument),
}

impl Remote {
    pub(super) fn new(keys: Keys, topics: Topics) -> Self {
        Self { keys, topics }
    }

    /// What Redis has.
    pub(super) async fn get(&self, name: &ConfigName) -> Result<RemoteValue, BusError> {
        let key = key(name);
        let found = self.keys.get_all(&[key.clone(), updated(&key), version(&key)]).await?;
        let [Some(json), updated, version] = found.as_slice() else { return Ok(RemoteValue::Nothing) };
        let Ok(value) = serde_json::from_str::<Value>(json) else { return Ok(RemoteValue::Nothing) };
        if value.is_null() {
            return Ok(RemoteValue::Absent);
        }
        let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
        let (Some(updated_at), Some(version)) = (number(updated), number(version)) else {
            return Ok(RemoteValue::Undated);
        };
        Ok(RemoteValue::Document(ConfigDocument { key: name.key().to_owned(), value, updated_at, version }))
    }

    /// Writes what is in the store, over what is there.
    pub(super) async fn put(&self, name: &ConfigName, document: Option<&ConfigDocument>) -> Result<(), BusError> {
        self.write(name, document, Put::Always).await
    }

    /// The same for a reader, who must not overwrite what a writer put there meanwhile.
    pub(super) async fn fill(&self, name: &ConfigName, document: Option<&ConfigDocument>) {
        if let Err(error) = self.write(name, document, Put::IfAbsent).await {
            tracing::debug!(%error, "a value was not kept in redis");
        }
    }

    /// Tells every instance that the value of this name is another now; process `source` knows.
    pub(super) async fn tell(&self, name: &ConfigName, source: &str) -> Result<(), BusError> {
        let text = json!({ "key": key(name), "timestamp": now_milliseconds(), "source": source });
        self.topics.tell_now(INVALIDATE, text.to_string().into()).await
    }

    async fn write(&self, name: &ConfigName, document: Option<&ConfigDocument>, put: Put) -> Result<(), BusError> {
        let key = key(name);
        let Some(document) = document else {
            self.keys.put(&key, "null", ABSENT_FOR, put).await?;
            return Ok(());
        };
        let life = if name.collection() == FEATURES { FLAG_LIFE } else { LIFE };
        // How new it is first, and for longer: a value without that would count as very old.
        let longer = life * 2;
        let (updated_at, number) = (document.updated_at.to_string(), document.version.to_string());
        let (updated, version) = (updated(&key), version(&key));
        tokio::try_join!(
            self.keys.put(&updated, &updated_at, longer, put),
            self.keys.put(&version, &number, longer, put),
        )?;
        self.keys.put(&key, &document.value.to_string(), life, put).await?;
        Ok(())
    }
}

fn key(name: &ConfigName) -> String {
    format!("{START}{}:{}", name.collection(), name.key())
}

fn updated(key: &str) -> String {
    format!("{key}:updated")
}

fn version(key: &str) -> String {
    format!("{key}:version")
}

/// The name behind the `key` of an invalidation.
pub(super) fn name_of(key: &str) -> Option<ConfigName> {
    let (collection, key) = key.strip_prefix(START)?.split_once(':')?;
    ConfigName::parse(collection, key).ok()
}
