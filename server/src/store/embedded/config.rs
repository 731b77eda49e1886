//! Configuration documents in the embedded store.

use std::sync::Arc;

use app::ports::StoreError;
use async_trait::async_trait;
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    super::config::{ConfigDocument, ConfigDocuments, ConfigName, WriteError},
    Embedded,
};
use crate::clock::now_milliseconds;

/// The documents as JSON, by collection and key.
const CONFIG: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("config");

/// A document as stored.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    value: Value,
    updated_at: u64,
    version: u64,
}

/// Makes the table of these documents.
pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(CONFIG)?;
    Ok(())
}

/// The configuration of an [`Embedded`] store.
pub(in super::super) struct EmbeddedConfig(Arc<Embedded>);

impl EmbeddedConfig {
    pub(in super::super) fn new(store: Arc<Embedded>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl ConfigDocuments for EmbeddedConfig {
    async fn get(&self, name: &ConfigName) -> Result<Option<ConfigDocument>, StoreError> {
        let name = name.clone();
        self.0
            .read(move |transaction| {
                let table = transaction.open_table(CONFIG)?;
                let found = table.get((name.collection(), name.key()))?;
                found.map(|json| read(name.key(), json.value())).transpose().map(Ok)
            })
            .await
    }

    async fn put(&self, name: &ConfigName, value: &Value, expected: Option<u64>) -> Result<ConfigDocument, WriteError> {
        let (name, value) = (name.clone(), value.clone());
        let put = self.0.write(move |transaction| {
            let mut table = transaction.open_table(CONFIG)?;
            let place = (name.collection(), name.key());
            let before = table.get(place)?.map(|json| read(name.key(), json.value())).transpose()?;
            let (version, updated_at) = before.map_or((0, 0), |before| (before.version, before.updated_at));
            if expected.is_some_and(|expected| expected != version) {
                return Ok(Ok(Err(version)));
            }
            let record = Record { value, updated_at: now_milliseconds().max(updated_at + 1), version: version + 1 };
            let json = serde_json::to_vec(&record)
                .map_err(|error| redb::Error::Corrupted(format!("a configuration cannot be written: {error}")))?;
            table.insert(place, json.as_slice())?;
            Ok(Ok(Ok(record.named(name.key()))))
        });
        put.await?.map_err(WriteError::Conflict)
    }

    async fn remove(&self, name: &ConfigName) -> Result<bool, StoreError> {
        let name = name.clone();
        self.0
            .write(move |transaction| {
                let mut table = transaction.open_table(CONFIG)?;
                let was_there = table.remove((name.collection(), name.key()))?.is_some();
                Ok(Ok(was_there))
            })
            .await
    }

    async fn keys(&self, collection: &str, start: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        let (collection, start) = (collection.to_owned(), start.to_owned());
        self.0
            .read(move |transaction| {
                let table = transaction.open_table(CONFIG)?;
                let mut found = Vec::new();
                for entry in table.range((collection.as_str(), start.as_str())..)?.take(limit) {
                    let place = entry?.0;
                    let (of, key) = place.value();
                    if of != collection || !key.starts_with(&start) {
                        break;
                    }
                    found.push(key.to_owned());
                }
                Ok(Ok(found))
            })
            .await
    }

    async fn list(&self, collection: &str, limit: usize) -> Result<Vec<ConfigDocument>, StoreError> {
        let collection = collection.to_owned();
        self.0
            .read(move |transaction| {
                let table = transaction.open_table(CONFIG)?;
                let mut found = Vec::new();
                for entry in table.range((collection.as_str(), "")..)?.take(limit) {
                    let (place, json) = entry?;
                    let (of, key) = place.value();
                    if of != collection {
                        break;
                    }
                    found.push(read(key, json.value())?);
                }
                Ok(Ok(found))
            })
            .await
    }
}

impl Record {
    fn named(self, key: &str) -> ConfigDocument {
        let Self { value, updated_at, version } = self;
        ConfigDocument { key: key.to_owned(), value, updated_at, version }
    }
}

fn read(key: &str, json: &[u8]) -> Result<ConfigDocument, redb::Error> {
    serde_json::from_slice::<Record>(json)
        .map(|record| record.named(key))
        .map_err(|error| redb::Error::Corrupted(format!("a configuration cannot be read: {error}")))
}
