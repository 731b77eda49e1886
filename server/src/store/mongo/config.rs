//! Configuration documents in MongoDB: `{key, value, updatedAt, version}`, in the collection they name.
//!
//! A document that another program wrote is found by its `key`, whatever its `_id`; ours have the key as
//! `_id`, so that two instances cannot make it twice.

use std::sync::Arc;

use app::ports::StoreError;
use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::{
    Collection,
    bson::{Bson, DateTime, Document, deserialize_from_bson, doc, serialize_to_bson},
    error::Error,
};
use serde_json::Value;

use super::{
    super::config::{ConfigDocument, ConfigDocuments, ConfigName, WriteError},
    Mongo, is_duplicate,
};
use crate::clock::now_milliseconds;

/// The configuration of a [`Mongo`] store.
pub(in super::super) struct MongoConfig(Arc<Mongo>);

/// What one attempt to write came to.
enum Attempt {
    Written(ConfigDocument),
    /// Somebody else was quicker.
    Overtaken,
    /// It has this version, which is not the expected one.
    Conflict(u64),
}

impl MongoConfig {
    pub(in super::super) fn new(store: Arc<Mongo>) -> Self {
        Self(store)
    }

    fn collection(&self, name: &str) -> Collection<Document> {
        self.0.database.collection(name)
    }

    async fn attempt(&self, name: &ConfigName, value: &Bson, expected: Option<u64>) -> Result<Attempt, Error> {
        let documents = self.collection(name.collection());
        let before = documents.find_one(doc! { "key": name.key() }).await?;
        let known = before.as_ref().map(read).transpose()?;
        let (version, updated_at) = known.as_ref().map_or((0, 0), |known| (known.version, known.updated_at));
        if let Some(expected) = expected
            && expected != version
        {
            return Ok(Attempt::Conflict(version));
        }
        let updated_at = now_milliseconds().max(updated_at + 1);
        let fields = doc! {
            "key": name.key(),
            "value": value,
            "updatedAt": DateTime::from_millis(i64::try_from(updated_at).unwrap_or(i64::MAX)),
            "version": i64::try_from(version + 1).unwrap_or(i64::MAX),
        };
        let is_written = match &before {
            Some(before) => {
                // What another program wrote may have no version yet.
                let seen = doc! {
                    "_id": before.get("_id").cloned().unwrap_or(Bson::Null),
                    "version": before.get("version").cloned().unwrap_or(Bson::Null),
                    "updatedAt": before.get("updatedAt").cloned().unwrap_or(Bson::Null),
                };
                documents.update_one(seen, doc! { "$set": fields.clone() }).await?.matched_count > 0
            }
            None => {
                let mut made = doc! { "_id": name.key() };
                made.extend(fields.clone());
                match documents.insert_one(made).await {
                    Ok(_) => true,
                    Err(error) if is_duplicate(&error) => false,
                    Err(error) => return Err(error),
                }
            }
        };
        if is_written { Ok(Attempt::Written(read(&fields)?)) } else { Ok(Attempt::Overtaken) }
    }
}

#[async_trait]
impl ConfigDocuments for MongoConfig {
    async fn get(&self, name: &ConfigName) -> Result<Option<ConfigDocument>, StoreError> {
        self.0
            .within(async {
                let found = self.collection(name.collection()).find_one(doc! { "key": name.key() }).await?;
                found.as_ref().map(read).transpose()
            })
            .await
    }

    async fn put(&self, name: &ConfigName, value: &Value, expected: Option<u64>) -> Result<ConfigDocument, WriteError> {
        let outcome = self.0.within(async {
            let value = serialize_to_bson(value).map_err(Error::custom)?;
            loop {
                match self.attempt(name, &value, expected).await? {
                    Attempt::Written(document) => return Ok(Ok(document)),
                    Attempt::Conflict(version) => return Ok(Err(version)),
                    Attempt::Overtaken => {}
                }
            }
        });
        outcome.await?.map_err(WriteError::Conflict)
    }

    async fn remove(&self, name: &ConfigName) -> Result<bool, StoreError> {
        self.0
            .within(async {
                let removed = self.collection(name.collection()).delete_many(doc! { "key": name.key() }).await?;
                Ok(removed.deleted_count > 0)
            })
            .await
    }

    async fn keys(&self, collection: &str, start: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        // Keys are of ASCII: what begins with `start` sorts from there up to the last sign of it.
        let beginning = doc! { "key": { "$type": "string", "$gte": start, "$lt": format!("{start}\u{7f}") } };
        self.0
            .within(async {
                let by_key = doc! { "key": 1 };
                let documents = self.collection(collection);
                let found = documents.find(beginning).projection(by_key.clone()).sort(by_key).limit(limit).await?;
                let documents: Vec<Document> = found.try_collect().await?;
                let key = |document: &Document| document.get_str("key").map(str::to_owned).map_err(Error::custom);
                documents.iter().map(key).collect()
            })
            .await
    }

    async fn list(&self, collection: &str, limit: usize) -> Result<Vec<ConfigDocument>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.0
            .within(async {
                let with_key = doc! { "key": { "$type": "string" } };
                let found = self.collection(collection).find(with_key).sort(doc! { "key": 1 }).limit(limit).await?;
                let documents: Vec<Document> = found.try_collect().await?;
                documents.iter().map(read).collect()
            })
            .await
    }
}

fn read(document: &Document) -> Result<ConfigDocument, Error> {
    let value = document.get("value").cloned().unwrap_or(Bson::Null);
    let updated_at = document.get_datetime("updatedAt").map_or(0, |at| at.timestamp_millis());
    let version = match document.get("version") {
        Some(Bson::Int32(version)) => i64::from(*version),
        Some(Bson::Int64(version)) => *version,
        _ => 0,
    };
    Ok(ConfigDocument {
        key: document.get_str("key").map_err(Error::custom)?.to_owned(),
        value: deserialize_from_bson(value).map_err(Error::custom)?,
        updated_at: u64::try_from(updated_at).unwrap_or_default(),
        version: u64::try_from(version).unwrap_or_default(),
    })
}
