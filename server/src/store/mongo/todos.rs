//! The to-do list in MongoDB.

use std::sync::Arc;

use app::{
    ports::{Announcement, StoreError, Tell, Todos},
    timestamp,
    todo::{Title, Todo, TodoHistoryEntry, TodoPage, TodoStats},
};
use async_trait::async_trait;
use mongodb::{
    Collection, Database, IndexModel,
    bson::{DateTime, Document, doc, oid::ObjectId, serialize_to_document},
    error::Error,
    options::ReturnDocument,
};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        cursor::{Cursor, parse_id},
        outbox::Untold,
    },
    Kind, Mongo,
    change::a_moment,
    history::History,
    outbox::{Named, entry},
};

/// As jPulse on Node.js calls it: a site that moves keeps its list.
pub(super) const COLLECTION: &str = "helloTodos";

/// A todo as stored. What an older document lacks is filled in when it is read.
#[derive(Clone, Serialize, Deserialize)]
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
    history: History,
}

impl MongoTodos {
    pub(in super::super) fn new(store: Arc<Mongo>) -> Self {
        Self { todos: store.database.collection(COLLECTION), history: History::new(&store.database), store }
    }

    async fn page(&self, limit: usize, before: Option<Cursor>) -> Result<TodoPage, Error> {
        // Tombstones have no time.
        let filter = before.map_or_else(listed, |Cursor { created_at, id }| {
            let time = DateTime::from_millis(created_at);
            doc! { "$or": [{ "createdAt": { "$lt": time } }, { "createdAt": time, "_id": { "$lt": id } }] }
        });
        // One more than asked for tells whether there is a next page.
        let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut found = self
            .todos
            .find(filter)
            .projection(doc! { "announcements": 0 })
            .sort(doc! { "createdAt": -1, "_id": -1 })
            .limit(wanted)
            .await?;
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

    async fn create(&self, title: &Title, username: &str, tell: Tell<Todo>) -> Result<Todo, StoreError> {
        let now = DateTime::from_millis(timestamp::now());
        let record = Record {
            id: ObjectId::new(),
            title: title.as_str().to_owned(),
            completed: false,
            username: username.to_owned(),
            created_at: now,
            updated_at: Some(now),
        };
        let created = self.store.within(self.insert(record, &Arc::new(tell))).await?;
        self.trim_history().await;
        Ok(created)
    }

    async fn toggle(&self, id: &str, tell: Tell<Todo>) -> Result<Todo, StoreError> {
        let id = parse_id(id)?;
        let turned = self.store.within(self.turn(id, &Arc::new(tell))).await?.ok_or(StoreError::NotFound)?;
        self.trim_history().await;
        Ok(turned)
    }

    async fn delete(&self, id: &str, tell: Tell<Todo>) -> Result<Todo, StoreError> {
        let id = parse_id(id)?;
        let removed = self.store.within(self.remove(id, &Arc::new(tell))).await?.ok_or(StoreError::NotFound)?;
        self.trim_history().await;
        Ok(removed)
    }

    async fn history(&self, limit: usize) -> Result<Vec<TodoHistoryEntry>, StoreError> {
        self.store.within(self.history.latest(limit)).await
    }
}

impl MongoTodos {
    async fn trim_history(&self) {
        if let Err(error) = self.store.within(self.history.trim()).await {
            tracing::warn!(%error, "old entries of the audit trail were not removed; they are next time");
        }
    }

    /// Adds a change to the audit trail that is saved already: it is not undone for that.
    async fn note(&self, announcement: Option<&Announcement>) {
        if let Err(error) = self.history.add(announcement, None).await {
            tracing::error!(%error, "the audit trail of the to-do list lacks a change");
        }
    }

    async fn insert(&self, record: Record, tell: &Arc<Tell<Todo>>) -> Result<Todo, Error> {
        if self.store.prepare().await? == Kind::WithTransactions {
            let (todos, history, event_for) = (self.todos.clone(), self.history.clone(), Arc::clone(tell));
            let key = (COLLECTION, record.id);
            let inserted = self.store.in_transaction(key, &**tell, move |session| {
                let (todos, record) = (todos.clone(), record.clone());
                let (history, event_for) = (history.clone(), Arc::clone(&event_for));
                Box::pin(async move {
                    todos.insert_one(&record).session(&mut *session).await?;
                    let todo = Todo::from(record);
                    history.add(event_for(&todo).as_ref(), Some(session)).await?;
                    Ok(Some(todo))
                })
            });
            return inserted.await?.ok_or_else(|| Error::custom("an inserted document is not there"));
        }
        let mut document = serialize_to_document(&record)?;
        let todo = Todo::from(record);
        let announcement = tell(&todo);
        let untold = announcement.clone().map(Untold::new);
        if let Some(untold) = &untold {
            document.insert("announcements", vec![entry(untold, &self.store.owner())?]);
        }
        self.todos.clone_with_type::<Document>().insert_one(document).await?;
        self.note(announcement.as_ref()).await;
        if let Some(untold) = untold {
            self.store.lane.put(untold);
        }
        Ok(todo)
    }

    async fn turn(&self, id: ObjectId, tell: &Arc<Tell<Todo>>) -> Result<Option<Todo>, Error> {
        if self.store.prepare().await? == Kind::WithTransactions {
            let (todos, history, event_for) = (self.todos.clone(), self.history.clone(), Arc::clone(tell));
            let turned = self.store.in_transaction((COLLECTION, id), &**tell, move |session| {
                let (todos, history, event_for) = (todos.clone(), history.clone(), Arc::clone(&event_for));
                let now = DateTime::from_millis(timestamp::now());
                // A pipeline, so that the server turns what it holds.
                let turn = vec![doc! { "$set": {
                    "completed": { "$not": ["$completed"] },
                    "updatedAt": { "$max": ["$updatedAt", now] },
                } }];
                Box::pin(async move {
                    let turned = todos.find_one_and_update(one(id), turn).return_document(ReturnDocument::After);
                    let turned = turned.session(&mut *session).await?.map(Todo::from);
                    history.add(turned.as_ref().and_then(|todo| event_for(todo)).as_ref(), Some(session)).await?;
                    Ok(turned)
                })
            });
            return turned.await;
        }
        let now = DateTime::from_millis(timestamp::now());
        self.change_alone(id, tell, |record| {
            record.completed = !record.completed;
            record.updated_at = record.updated_at.max(Some(now));
            doc! { "$set": { "completed": record.completed, "updatedAt": record.updated_at } }
        })
        .await
    }

    async fn remove(&self, id: ObjectId, tell: &Arc<Tell<Todo>>) -> Result<Option<Todo>, Error> {
        if self.store.prepare().await? == Kind::WithTransactions {
            let (todos, history, event_for) = (self.todos.clone(), self.history.clone(), Arc::clone(tell));
            let removed = self.store.in_transaction((COLLECTION, id), &**tell, move |session| {
                let (todos, history, event_for) = (todos.clone(), history.clone(), Arc::clone(&event_for));
                Box::pin(async move {
                    let removed = todos.find_one_and_delete(one(id)).session(&mut *session).await?.map(Todo::from);
                    history.add(removed.as_ref().and_then(|todo| event_for(todo)).as_ref(), Some(session)).await?;
                    Ok(removed)
                })
            });
            return removed.await;
        }
        // A tombstone: neither listed, which goes by the time, nor counted.
        let entomb = |_: &mut Record| doc! { "$set": { "gone": true }, "$unset": { "createdAt": "", "completed": "" } };
        let removed = self.change_alone(id, tell, entomb).await?;
        if removed.is_some() {
            // Of what nobody is to hear, nothing is left at once.
            self.todos.delete_one(doc! { "_id": id, "gone": true, "announcements": { "$exists": false } }).await?;
        }
        Ok(removed)
    }

    /// Changes one document where there are no transactions: reads it, decides what `update` does to it,
    /// and writes unless somebody else wrote meanwhile.
    async fn change_alone(
        &self,
        id: ObjectId,
        tell: &Tell<Todo>,
        update: impl Fn(&mut Record) -> Document + Send + Sync,
    ) -> Result<Option<Todo>, Error> {
        let documents = self.todos.clone_with_type::<Named>();
        loop {
            let Some(mut record) = self.todos.find_one(one(id)).projection(doc! { "announcements": 0 }).await? else {
                return Ok(None);
            };
            let mut unchanged = one(id);
            // A document of another origin may lack either.
            unchanged.insert(
                "completed",
                if record.completed {
                    doc! { "$eq": true }
                } else {
                    doc! { "$ne": true }
                },
            );
            unchanged.insert("updatedAt", record.updated_at);
            let update = update(&mut record);
            let todo = Todo::from(record);
            let announcement = tell(&todo);
            let untold = announcement.clone().map(Untold::new);
            if self.store.in_one_write(&documents, unchanged, update, untold).await? {
                self.note(announcement.as_ref()).await;
                return Ok(Some(todo));
            }
            a_moment().await;
        }
    }
}

/// What is in the list.
fn listed() -> Document {
    doc! { "createdAt": { "$type": "date" } }
}

/// The todo with this id, unless it is a tombstone.
fn one(id: ObjectId) -> Document {
    doc! { "_id": id, "gone": { "$ne": true } }
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
