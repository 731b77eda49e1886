//! Accounts in MongoDB.

use std::sync::Arc;

use app::{account::PersonName, ports::StoreError};
use async_trait::async_trait;
use mongodb::{
    Collection, Database, IndexModel,
    bson::{DateTime, Document, doc, oid::ObjectId},
    error::Error,
    options::IndexOptions,
};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::{
    super::users::{NewUser, StoredUser, Users, name_key},
    Mongo, is_duplicate,
};

/// As jPulse on Node.js calls it. Its accounts have no `nameKey` and are not found: their hashes are of
/// another kind.
const COLLECTION: &str = "users";

/// An account as stored.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(rename = "_id")]
    id: ObjectId,
    username: String,
    name_key: String,
    password_hash: String,
    #[serde(default)]
    roles: Vec<String>,
    created_at: DateTime,
    #[serde(default = "never")]
    sessions_from: DateTime,
    #[serde(flatten)]
    name: PersonName,
}

fn never() -> DateTime {
    DateTime::from_millis(0)
}

/// The accounts of a [`Mongo`] store.
pub(in super::super) struct MongoUsers {
    store: Arc<Mongo>,
    users: Collection<Record>,
    /// Set when the index is in place that keeps names apart. Of its own, so that a collection another
    /// program made keeps no other collection from being used.
    is_prepared: OnceCell<()>,
}

impl MongoUsers {
    pub(in super::super) fn new(store: Arc<Mongo>) -> Self {
        Self { users: store.database.collection(COLLECTION), store, is_prepared: OnceCell::new() }
    }

    async fn within<T>(&self, request: impl Future<Output = Result<T, Error>> + Send) -> Result<T, StoreError> {
        self.store
            .within(async {
                self.is_prepared.get_or_try_init(|| create_index(&self.store.database)).await?;
                request.await
            })
            .await
    }

    async fn all(&self, filter: Document, order: Document) -> Result<Vec<StoredUser>, Error> {
        let mut found = self.users.find(filter).sort(order).await?;
        let mut all = Vec::new();
        while found.advance().await? {
            all.push(found.deserialize_current()?.into());
        }
        Ok(all)
    }
}

async fn create_index(database: &Database) -> Result<(), Error> {
    let options = IndexOptions::builder()
        .unique(true)
        .partial_filter_expression(doc! { "nameKey": { "$type": "string" } })
        .build();
    let names = IndexModel::builder().keys(doc! { "nameKey": 1 }).options(options).build();
    database.collection::<Document>(COLLECTION).create_index(names).await.map(drop)
}

#[async_trait]
impl Users for MongoUsers {
    async fn insert(&self, user: NewUser) -> Result<Option<StoredUser>, StoreError> {
        let record = Record {
            id: ObjectId::new(),
            name_key: name_key(&user.username),
            username: user.username,
            password_hash: user.password_hash,
            roles: user.roles,
            created_at: DateTime::now(),
            sessions_from: never(),
            name: user.name,
        };
        self.within(async {
            match self.users.insert_one(&record).await {
                Ok(_) => Ok(Some(record.clone().into())),
                Err(error) if is_duplicate(&error) => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn replace(&self, user: &StoredUser) -> Result<bool, StoreError> {
        let Ok(id) = ObjectId::parse_str(&user.id) else { return Ok(false) };
        let set = doc! { "$set": {
            "passwordHash": &user.password_hash,
            "roles": &user.roles,
            "sessionsFrom": date(user.sessions_from),
            "firstName": &user.name.first_name,
            "lastName": &user.name.last_name,
        } };
        self.within(async { Ok(self.users.update_one(doc! { "_id": id }, set).await?.matched_count > 0) }).await
    }

    async fn find(&self, username: &str) -> Result<Option<StoredUser>, StoreError> {
        let filter = doc! { "nameKey": name_key(username) };
        self.within(async { Ok(self.users.find_one(filter).await?.map(StoredUser::from)) }).await
    }

    async fn find_by_ids(&self, ids: &[String]) -> Result<Vec<StoredUser>, StoreError> {
        let ids: Vec<ObjectId> = ids.iter().filter_map(|id| ObjectId::parse_str(id).ok()).collect();
        let filter = doc! { "_id": { "$in": ids }, "nameKey": { "$type": "string" } };
        self.within(self.all(filter, doc! {})).await
    }

    async fn list(&self) -> Result<Vec<StoredUser>, StoreError> {
        self.within(self.all(doc! { "nameKey": { "$type": "string" } }, doc! { "nameKey": 1 })).await
    }

    async fn remove(&self, username: &str) -> Result<Option<StoredUser>, StoreError> {
        let filter = doc! { "nameKey": name_key(username) };
        self.within(async { Ok(self.users.find_one_and_delete(filter).await?.map(StoredUser::from)) }).await
    }
}

impl From<Record> for StoredUser {
    fn from(record: Record) -> Self {
        Self {
            id: record.id.to_hex(),
            username: record.username,
            name: record.name,
            password_hash: record.password_hash,
            roles: record.roles,
            created_at: milliseconds(record.created_at),
            sessions_from: milliseconds(record.sessions_from),
        }
    }
}

fn milliseconds(time: DateTime) -> u64 {
    u64::try_from(time.timestamp_millis()).unwrap_or_default()
}

fn date(milliseconds: u64) -> DateTime {
    DateTime::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}
