//! Accounts in the embedded store.

use std::sync::Arc;

use app::{account::PersonName, ports::StoreError};
use async_trait::async_trait;
use mongodb::bson::oid::ObjectId;
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::{
    super::users::{NewUser, StoredUser, Users, name_key},
    Embedded,
};
use crate::clock::now_milliseconds;

/// The accounts, by their names in lower case.
const USERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("users");
/// The key of the account with this id.
const IDS: TableDefinition<'_, &str, &str> = TableDefinition::new("users.ids");

/// An account as stored: JSON, so that fields can be added.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    id: String,
    username: String,
    password_hash: String,
    roles: Vec<String>,
    created_at: u64,
    #[serde(default)]
    sessions_from: u64,
    #[serde(flatten)]
    name: PersonName,
}

/// Makes the tables of this collection.
pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(USERS)?;
    transaction.open_table(IDS)?;
    Ok(())
}

/// The accounts of an [`Embedded`] store.
pub(in super::super) struct EmbeddedUsers(Arc<Embedded>);

impl EmbeddedUsers {
    pub(in super::super) fn new(store: Arc<Embedded>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl Users for EmbeddedUsers {
    async fn insert(&self, user: NewUser) -> Result<Option<StoredUser>, StoreError> {
        self.0
            .write(move |transaction| {
                let mut users = transaction.open_table(USERS)?;
                let key = name_key(&user.username);
                if users.get(key.as_str())?.is_some() {
                    return Ok(Ok(None));
                }
                let NewUser { username, name, password_hash, roles } = user;
                let (id, now) = (ObjectId::new().to_hex(), now_milliseconds());
                let made = StoredUser { id, username, name, password_hash, roles, created_at: now, sessions_from: 0 };
                users.insert(key.as_str(), write(&made)?.as_slice())?;
                transaction.open_table(IDS)?.insert(made.id.as_str(), key.as_str())?;
                Ok(Ok(Some(made)))
            })
            .await
    }

    async fn replace(&self, user: &StoredUser) -> Result<bool, StoreError> {
        let user = user.clone();
        self.0
            .write(move |transaction| {
                let ids = transaction.open_table(IDS)?;
                let Some(key) = ids.get(user.id.as_str())?.map(|key| key.value().to_owned()) else {
                    return Ok(Ok(false));
                };
                transaction.open_table(USERS)?.insert(key.as_str(), write(&user)?.as_slice())?;
                Ok(Ok(true))
            })
            .await
    }

    async fn find(&self, username: &str) -> Result<Option<StoredUser>, StoreError> {
        let key = name_key(username);
        self.0
            .read(move |transaction| {
                let found = transaction.open_table(USERS)?.get(key.as_str())?;
                found.map(|json| read(json.value())).transpose().map(Ok)
            })
            .await
    }

    async fn find_by_ids(&self, ids: &[String]) -> Result<Vec<StoredUser>, StoreError> {
        let ids = ids.to_vec();
        self.0
            .read(move |transaction| {
                let (keys, users) = (transaction.open_table(IDS)?, transaction.open_table(USERS)?);
                let mut found = Vec::new();
                for id in &ids {
                    if let Some(key) = keys.get(id.as_str())?
                        && let Some(json) = users.get(key.value())?
                    {
                        found.push(read(json.value())?);
                    }
                }
                Ok(Ok(found))
            })
            .await
    }

    async fn list(&self) -> Result<Vec<StoredUser>, StoreError> {
        self.0
            .read(|transaction| {
                let users = transaction.open_table(USERS)?;
                let mut all = Vec::new();
                for entry in users.range::<&str>(..)? {
                    all.push(read(entry?.1.value())?);
                }
                Ok(Ok(all))
            })
            .await
    }

    async fn remove(&self, username: &str) -> Result<Option<StoredUser>, StoreError> {
        let key = name_key(username);
        self.0
            .write(move |transaction| {
                let mut users = transaction.open_table(USERS)?;
                let Some(removed) = users.remove(key.as_str())?.map(|json| read(json.value())).transpose()? else {
                    return Ok(Ok(None));
                };
                transaction.open_table(IDS)?.remove(removed.id.as_str())?;
                Ok(Ok(Some(removed)))
            })
            .await
    }
}

fn read(json: &[u8]) -> Result<StoredUser, redb::Error> {
    let Record { id, username, password_hash, roles, created_at, sessions_from, name } =
        serde_json::from_slice(json)
            .map_err(|error| redb::Error::Corrupted(format!("an account cannot be read: {error}")))?;
    Ok(StoredUser { id, username, name, password_hash, roles, created_at, sessions_from })
}

fn write(user: &StoredUser) -> Result<Vec<u8>, redb::Error> {
    let StoredUser { id, username, name, password_hash, roles, created_at, sessions_from } = user.clone();
    serde_json::to_vec(&Record { id, username, password_hash, roles, created_at, sessions_from, name })
        .map_err(|error| redb::Error::Corrupted(format!("an account cannot be written: {error}")))
}
