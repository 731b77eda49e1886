//! The audit trail of the to-do list in MongoDB: a collection of its own.
//!
//! Where there are transactions, an entry is saved in the one of its change. A server that stands alone writes it right
//! after the change: a crash in between costs the entry, never the change.

use app::{
    ports::Announcement,
    timestamp,
    todo::{TodoAction, TodoHistoryEntry},
};
use mongodb::{
    ClientSession, Collection, Database,
    bson::{DateTime, doc, oid::ObjectId},
    error::Error,
};
use serde::{Deserialize, Serialize};

use super::super::history;

pub(super) const COLLECTION: &str = "helloTodoHistory";

/// An entry as stored. The id sorts by time.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(rename = "_id")]
    id: ObjectId,
    action: TodoAction,
    todo_id: String,
    title: String,
    completed: bool,
    user: app::todo::TodoUser,
    at: DateTime,
}

/// The entries.
#[derive(Clone)]
pub(super) struct History(Collection<Record>);

impl History {
    pub(super) fn new(database: &Database) -> Self {
        Self(database.collection(COLLECTION))
    }

    /// Adds an announced change, in the transaction of the change where there is one.
    pub(super) async fn add(
        &self,
        announcement: Option<&Announcement>,
        session: Option<&mut ClientSession>,
    ) -> Result<(), Error> {
        let Some(entry) = history::entry(announcement) else { return Ok(()) };
        let TodoHistoryEntry { action, todo_id, title, completed, user, .. } = entry;
        let at = DateTime::from_millis(timestamp::now());
        let record = Record { id: ObjectId::new(), action, todo_id, title, completed, user, at };
        let insert = self.0.insert_one(&record);
        match session {
            Some(session) => insert.session(session).await.map(drop),
            None => insert.await.map(drop),
        }
    }

    /// Removes the oldest entries when there are too many.
    pub(super) async fn trim(&self) -> Result<(), Error> {
        let first_out = self.0.find_one(doc! {}).sort(doc! { "_id": -1 }).skip(TodoHistoryEntry::LIMIT).await?;
        match first_out {
            Some(first_out) => self.0.delete_many(doc! { "_id": { "$lte": first_out.id } }).await.map(drop),
            None => Ok(()),
        }
    }

    /// The latest entries, newest first.
    pub(super) async fn latest(&self, limit: usize) -> Result<Vec<TodoHistoryEntry>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut found = self.0.find(doc! {}).sort(doc! { "_id": -1 }).limit(limit).await?;
        let mut latest = Vec::new();
        while found.advance().await? {
            let Record { action, todo_id, title, completed, user, at, .. } = found.deserialize_current()?;
            let at = timestamp::rfc3339(at.timestamp_millis());
            latest.push(TodoHistoryEntry { at, action, todo_id, title, completed, user });
        }
        Ok(latest)
    }
}
