//! The to-do list in MongoDB.

use std::sync::Arc;

use app::{
    ports::{StoreError, Todos},
    timestamp,
    todo::{Title, Todo, TodoPage, TodoStats},
};
use async_trait::async_trait;
use mongodb::{
    Collection, Database, IndexModel,
    bson::{DateTime, Document, doc, oid::ObjectId},
    error::Error,
    options::ReturnDocument,
};
use serde::{Deserialize, Serialize};

use super::{
    super::cursor::{Cursor, parse_id},
    Mongo,
};

/// As jPulse on Node.js calls it: a site that moves keeps its list.
const COLLECTION: &str = "helloTodos";

/// A todo as stored. What an older document lacks is filled in when it is read.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(rename = "_id")]
    id: ObjectId,
    #[serde(default)]
    title: String,
    #[serde(default)]
    completed: bool,
    #[serde(default = "guest")]
    username: String,
    created_at: DateTime,
    #[serde(default)]
    updated_at: Option<DateTime>,
}

fn guest() -> String {
    "guest".into()
}

/// Makes the indexes of this collection; those that exist stay.
pub(super) async fn create_indexes(database: &Database) -> Result<(), Error> {
    let order = IndexModel::builder().keys(doc! { "createdAt": -1, "_id": -1 }).build();
    let counts = IndexModel::builder().keys(doc! { "completed": 1 }).build();
    database.collection::<Document>(COLLECTION).create_indexes([order, counts]).await.map(drop)
}

/// The to-do list of a [`Mongo`] store.
pub(in super::super) struct MongoTodos {
    store: Arc<Mongo>,
    todos: Collection<Record>,
}

impl MongoTodos {
    pub(in super::super) fn new(store: Arc<Mongo>) -> Self {
        Self { todos: store.database.collection(COLLECTION), store }
    }

    async fn page(&self, limit: usize, before: Option<Cursor>) -> Result<TodoPage, Error> {
        let filter = before.map_or_else(Document::new, |Cursor { created_at, id }| {
            let time = DateTime::from_millis(created_at);
            doc! { "$or": [{ "createdAt": { "$lt": time } }, { "createdAt": time, "_id": { "$lt": id } }] }
        });
        // One more than asked for tells whether there is a next page.
        let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut found = self.todos.find(filter).sort(doc! { "createdAt": -1, "_id": -1 }).limit(wanted).await?;
        let mut page = TodoPage::default();
        let mut last = None;
        while found.advance().await? {
            if page.todos.len() == limit {
                page.next_cursor = last.as_ref().map(Cursor::to_string);
                break;
            }
            let record = found.deserialize_current()?;
            last = Some(Cursor { created_at: record.created_at.timestamp_millis(), id: record.id });
            page.todos.push(record.into());
        }
        Ok(page)
    }

    /// Counted along the index alone.
    async fn count(&self, completed: bool) -> Result<u64, Error> {
        self.todos.count_documents(doc! { "completed": completed }).await
    }
}

#[async_trait]
impl Todos for MongoTodos {
    async fn list(&self, limit: usize, cursor: Option<&str>) -> Result<TodoPage, StoreError> {
        let limit = limit.clamp(1, 100);
        let before = cursor.map(str::parse::<Cursor>).transpose()?;
        self.store
            .within(async {
                let (mut page, completed, pending) =
                    tokio::try_join!(self.page(limit, before), self.count(true), self.count(false))?;
                page.stats = TodoStats { total: completed + pending, completed, pending };
                Ok(page)
            })
            .await
    }

    async fn create(&self, title: &Title, username: &str) -> Result<Todo, StoreError> {
        let now = DateTime::from_millis(timestamp::now());
        let record = Record {
            id: ObjectId::new(),
            title: title.as_str().to_owned(),
            completed: false,
            username: username.to_owned(),
            created_at: now,
            updated_at: Some(now),
        };
        self.store.within(async { self.todos.insert_one(&record).await }).await?;
        Ok(record.into())
    }

    async fn toggle(&self, id: &str) -> Result<Todo, StoreError> {
        let id = parse_id(id)?;
        let now = DateTime::from_millis(timestamp::now());
        // A pipeline, so that the server turns what it holds: two at once end where they began.
        let turn = vec![doc! { "$set": {
            "completed": { "$not": ["$completed"] },
            "updatedAt": { "$max": ["$updatedAt", now] },
        } }];
        let turned = self.store.within(async {
            self.todos.find_one_and_update(doc! { "_id": id }, turn).return_document(ReturnDocument::After).await
        });
        turned.await?.map(Todo::from).ok_or(StoreError::NotFound)
    }

    async fn delete(&self, id: &str) -> Result<Todo, StoreError> {
        let id = parse_id(id)?;
        let deleted = self.store.within(async { self.todos.find_one_and_delete(doc! { "_id": id }).await });
        deleted.await?.map(Todo::from).ok_or(StoreError::NotFound)
    }
}

impl From<Record> for Todo {
    fn from(record: Record) -> Self {
        let updated_at = record.updated_at.unwrap_or(record.created_at);
        Self {
            id: record.id.to_hex(),
            title: record.title,
            completed: record.completed,
            username: record.username,
            created_at: timestamp::rfc3339(record.created_at.timestamp_millis()),
            updated_at: timestamp::rfc3339(updated_at.timestamp_millis()),
        }
    }
}
