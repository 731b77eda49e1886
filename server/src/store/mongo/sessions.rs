//! Sessions in MongoDB, behind Redis.

use std::sync::Arc;

use app::ports::StoreError;
use async_trait::async_trait;
use mongodb::{
    Collection, Database, IndexModel,
    bson::{DateTime, Document, doc},
    error::Error,
    options::IndexOptions,
};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::{
    super::sessions::{SessionBackup, StoredSession},
    Mongo, is_duplicate,
};

const COLLECTION: &str = "sessionBackup";

/// A session, or what is left of one that was ended: `isOver` and no `json`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(rename = "_id")]
    id: String,
    json: String,
    user_id: String,
    since: DateTime,
    ends_at: DateTime,
}

/// The sessions of a [`Mongo`] store.
pub(in super::super) struct MongoSessions {
    store: Arc<Mongo>,
    sessions: Collection<Record>,
    is_prepared: OnceCell<()>,
}

impl MongoSessions {
    pub(in super::super) fn new(store: Arc<Mongo>) -> Self {
        Self { sessions: store.database.collection(COLLECTION), store, is_prepared: OnceCell::new() }
    }

    async fn within<T>(&self, request: impl Future<Output = Result<T, Error>> + Send) -> Result<T, StoreError> {
        self.store
            .within(async {
                self.is_prepared.get_or_try_init(|| create_indexes(&self.store.database)).await?;
                request.await
            })
            .await
    }
}

/// MongoDB itself removes what has expired, about once a minute.
async fn create_indexes(database: &Database) -> Result<(), Error> {
    let expiring = IndexOptions::builder().expire_after(std::time::Duration::ZERO).build();
    let ends = IndexModel::builder().keys(doc! { "endsAt": 1 }).options(expiring).build();
    let users = IndexModel::builder().keys(doc! { "userId": 1, "since": 1 }).build();
    database.collection::<Document>(COLLECTION).create_indexes([ends, users]).await.map(drop)
}

#[async_trait]
impl SessionBackup for MongoSessions {
    async fn keep(&self, session: &StoredSession) -> Result<(), StoreError> {
        let filter = doc! { "_id": &session.id, "isOver": { "$ne": true } };
        let set = doc! { "$set": {
            "json": &session.json,
            "userId": &session.user_id,
            "since": date(session.since),
            "endsAt": date(session.ends_at),
        } };
        self.within(async {
            match self.sessions.update_one(filter, set).upsert(true).await {
                // It is over: there is a document of this id that the filter leaves out.
                Err(error) if is_duplicate(&error) => Ok(()),
                kept => kept.map(drop),
            }
        })
        .await
    }

    async fn load(&self, id: &str) -> Result<Option<StoredSession>, StoreError> {
        let filter = doc! { "_id": id, "isOver": { "$ne": true }, "endsAt": { "$gt": DateTime::now() } };
        self.within(async { Ok(self.sessions.find_one(filter).await?.map(StoredSession::from)) }).await
    }

    async fn page(&self, after: Option<&str>, limit: usize) -> Result<Vec<StoredSession>, StoreError> {
        let mut filter = doc! { "isOver": { "$ne": true }, "endsAt": { "$gt": DateTime::now() } };
        if let Some(after) = after {
            filter.insert("_id", doc! { "$gt": after });
        }
        self.within(async {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut found = self.sessions.find(filter).sort(doc! { "_id": 1 }).limit(limit).await?;
            let mut page = Vec::new();
            while found.advance().await? {
                page.push(found.deserialize_current()?.into());
            }
            Ok(page)
        })
        .await
    }

    async fn end(&self, id: &str, forget_at: u64) -> Result<(), StoreError> {
        let over = over(forget_at);
        self.within(async { self.sessions.update_one(doc! { "_id": id }, over).upsert(true).await }).await.map(drop)
    }

    async fn end_all(&self, user_id: &str, until: u64, forget_at: u64) -> Result<(), StoreError> {
        let filter = doc! { "userId": user_id, "since": { "$lte": date(until) } };
        self.within(async { self.sessions.update_many(filter, over(forget_at)).await }).await.map(drop)
    }
}

fn over(forget_at: u64) -> Document {
    doc! { "$set": { "isOver": true, "endsAt": date(forget_at) }, "$unset": { "json": "" } }
}

impl From<Record> for StoredSession {
    fn from(record: Record) -> Self {
        let Record { id, json, user_id, since, ends_at } = record;
        let [since, ends_at] = [since, ends_at].map(|time| u64::try_from(time.timestamp_millis()).unwrap_or_default());
        Self { id, json, user_id, since, ends_at }
    }
}

fn date(milliseconds: u64) -> DateTime {
    DateTime::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}
