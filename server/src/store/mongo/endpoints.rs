//! WebSocket endpoints that administrators made, in MongoDB.

use std::sync::Arc;

use app::ports::StoreError;
use async_trait::async_trait;
use mongodb::{Collection, bson::doc, error::Error};
use serde::{Deserialize, Serialize};

use super::{super::EndpointStore, Mongo};
use crate::endpoint::Definition;

const COLLECTION: &str = "wsEndpoints";

/// An endpoint as stored.
#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(rename = "_id")]
    id: String,
    definition: Definition,
}

/// The endpoints of a [`Mongo`] store.
pub(in super::super) struct MongoEndpoints {
    store: Arc<Mongo>,
    endpoints: Collection<Record>,
}

impl MongoEndpoints {
    pub(in super::super) fn new(store: Arc<Mongo>) -> Self {
        Self { endpoints: store.database.collection(COLLECTION), store }
    }
}

#[async_trait]
impl EndpointStore for MongoEndpoints {
    async fn put(&self, definition: &Definition) -> Result<(), StoreError> {
        let record = Record { id: definition.name.clone(), definition: definition.clone() };
        let replaced = async {
            self.endpoints.replace_one(doc! { "_id": &record.id }, &record).upsert(true).await?;
            Ok::<_, Error>(())
        };
        self.store.within(replaced).await
    }

    async fn remove(&self, name: &str) -> Result<bool, StoreError> {
        let removed = async { Ok(self.endpoints.delete_one(doc! { "_id": name }).await?.deleted_count > 0) };
        self.store.within(removed).await
    }

    async fn list(&self) -> Result<Vec<Definition>, StoreError> {
        self.store
            .within(async {
                let mut found = self.endpoints.find(doc! {}).sort(doc! { "_id": 1 }).await?;
                let mut all = Vec::new();
                while found.advance().await? {
                    all.push(found.deserialize_current()?.definition);
                }
                Ok(all)
            })
            .await
    }

    fn is_shared(&self) -> bool {
        true
    }
}
