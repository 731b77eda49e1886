//! WebSocket endpoints that administrators made, in the embedded store.

use std::sync::Arc;

use app::ports::StoreError;
use async_trait::async_trait;
use redb::{TableDefinition, WriteTransaction};

use super::{super::EndpointStore, Embedded};
use crate::endpoint::Definition;

/// The definitions as JSON, by name.
const ENDPOINTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("endpoints");

/// Makes the table of this collection.
pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(ENDPOINTS)?;
    Ok(())
}

/// The endpoints of an [`Embedded`] store.
pub(in super::super) struct EmbeddedEndpoints(Arc<Embedded>);

impl EmbeddedEndpoints {
    pub(in super::super) fn new(store: Arc<Embedded>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl EndpointStore for EmbeddedEndpoints {
    async fn put(&self, definition: &Definition) -> Result<(), StoreError> {
        let definition = definition.clone();
        self.0
            .write(move |transaction| {
                let json = serde_json::to_vec(&definition)
                    .map_err(|error| redb::Error::Corrupted(format!("an endpoint cannot be written: {error}")))?;
                transaction.open_table(ENDPOINTS)?.insert(definition.name.as_str(), json.as_slice())?;
                Ok(Ok(()))
            })
            .await
    }

    async fn remove(&self, name: &str) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.0
            .write(move |transaction| {
                let was_there = transaction.open_table(ENDPOINTS)?.remove(name.as_str())?.is_some();
                Ok(Ok(was_there))
            })
            .await
    }

    async fn list(&self) -> Result<Vec<Definition>, StoreError> {
        self.0
            .read(|transaction| {
                let endpoints = transaction.open_table(ENDPOINTS)?;
                let all = endpoints.range::<&str>(..)?;
                all.map(|entry| parse(entry?.1.value())).collect::<Result<_, _>>().map(Ok)
            })
            .await
    }

    fn is_shared(&self) -> bool {
        false
    }
}

fn parse(json: &[u8]) -> Result<Definition, redb::Error> {
    serde_json::from_slice(json).map_err(|error| redb::Error::Corrupted(format!("an endpoint cannot be read: {error}")))
}
