//! The to-do list in the embedded store.

use std::sync::Arc;

use app::{
    ports::{StoreError, Tell, Todos},
    timestamp,
    todo::{Title, Todo, TodoHistoryEntry, TodoPage, TodoStats},
};
use async_trait::async_trait;
use mongodb::bson::oid::ObjectId;
use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::{
    super::cursor::{Cursor, parse_id},
    Done, Embedded, history,
};

/// The documents, in the order of the list: see [`Key`].
const TODOS: TableDefinition<'_, Key, &[u8]> = TableDefinition::new("todos");
/// When the todo with this id was created, which leads to its key.
const CREATED: TableDefinition<'_, [u8; 12], i64> = TableDefinition::new("todos.created");
/// How many there are, kept with every change.
const COUNTS: TableDefinition<'_, &str, u64> = TableDefinition::new("todos.counts");
const TOTAL: &str = "total";
const COMPLETED: &str = "completed";

/// Time of creation in milliseconds, big-endian, then the id.
type Key = [u8; 20];

/// A todo as stored: JSON, so that fields can be added.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    title: String,
    completed: bool,
    username: String,
    created_at: i64,
    updated_at: i64,
}

/// Makes the tables of this collection.
pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(TODOS)?;
    transaction.open_table(CREATED)?;
    transaction.open_table(COUNTS)?;
    Ok(())
}

/// The to-do list of an [`Embedded`] store.
pub(in super::super) struct EmbeddedTodos(Arc<Embedded>);

impl EmbeddedTodos {
    pub(in super::super) fn new(store: Arc<Embedded>) -> Self {
        Self(store)
    }

    /// A change, its announcement, and its entry in the audit trail: all of it or nothing.
    async fn change(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Done<Todo> + Send + 'static,
        tell: Tell<Todo>,
    ) -> Result<Todo, StoreError> {
        let tell = Arc::new(tell);
        let event_for = Arc::clone(&tell);
        let write = move |transaction: &WriteTransaction| {
            let done = change(transaction)?;
            if let Ok(todo) = &done {
                history::add(transaction, event_for(todo).as_ref())?;
            }
            Ok(done)
        };
        self.0.write_and_tell(write, Box::new(move |todo| tell(todo))).await
    }
}

#[async_trait]
impl Todos for EmbeddedTodos {
    async fn list(&self, limit: usize, cursor: Option<&str>) -> Result<TodoPage, StoreError> {
        let limit = limit.clamp(1, 100);
        let before = cursor.map(str::parse::<Cursor>).transpose()?;
        self.0.read(move |transaction| page(transaction, limit, before).map(Ok)).await
    }

    async fn create(&self, title: &Title, username: &str, tell: Tell<Todo>) -> Result<Todo, StoreError> {
        let (title, username) = (title.as_str().to_owned(), username.to_owned());
        self.change(move |transaction| create(transaction, title, username).map(Ok), tell).await
    }

    async fn toggle(&self, id: &str, tell: Tell<Todo>) -> Result<Todo, StoreError> {
        let id = parse_id(id)?;
        self.change(move |transaction| toggle(transaction, id), tell).await
    }

    async fn delete(&self, id: &str, tell: Tell<Todo>) -> Result<Todo, StoreError> {
        let id = parse_id(id)?;
        self.change(move |transaction| delete(transaction, id), tell).await
    }

    async fn history(&self, limit: usize) -> Result<Vec<TodoHistoryEntry>, StoreError> {
        self.0.read(move |transaction| history::latest(transaction, limit).map(Ok)).await
    }
}

fn page(transaction: &ReadTransaction, limit: usize, before: Option<Cursor>) -> Result<TodoPage, redb::Error> {
    let todos = transaction.open_table(TODOS)?;
    let newest_first = match before {
        Some(cursor) => todos.range(..key(cursor.created_at, cursor.id))?,
        None => todos.range::<Key>(..)?,
    }
    .rev();
    let mut page = TodoPage::default();
    let mut last = None;
    for entry in newest_first.take(limit + 1) {
        let (key, json) = entry?;
        if page.todos.len() == limit {
            page.next_cursor = last.as_ref().map(Cursor::to_string);
            break;
        }
        let (id, record) = (id_of(key.value()), read(json.value())?);
        last = Some(Cursor { created_at: record.created_at, id });
        page.todos.push(todo(id, record));
    }
    let counts = transaction.open_table(COUNTS)?;
    let count = |name| counts.get(name).map(|count| count.map_or(0, |count| count.value()));
    let (total, completed) = (count(TOTAL)?, count(COMPLETED)?);
    page.stats = TodoStats { total, completed, pending: total.saturating_sub(completed) };
    Ok(page)
}

fn create(transaction: &WriteTransaction, title: String, username: String) -> Result<Todo, redb::Error> {
    let now = timestamp::now().max(0);
    let id = ObjectId::new();
    let record = Record { title, completed: false, username, created_at: now, updated_at: now };
    transaction.open_table(TODOS)?.insert(key(now, id), write(&record)?.as_slice())?;
    transaction.open_table(CREATED)?.insert(id.bytes(), now)?;
    count(transaction, TOTAL, 1)?;
    Ok(todo(id, record))
}

fn toggle(transaction: &WriteTransaction, id: ObjectId) -> Done<Todo> {
    let mut todos = transaction.open_table(TODOS)?;
    let Some(key) = find(transaction, id)? else { return Ok(Err(StoreError::NotFound)) };
    let mut record = stored(&todos, key)?;
    record.completed = !record.completed;
    record.updated_at = timestamp::now().max(record.updated_at);
    todos.insert(key, write(&record)?.as_slice())?;
    count(transaction, COMPLETED, if record.completed { 1 } else { -1 })?;
    Ok(Ok(todo(id, record)))
}

fn delete(transaction: &WriteTransaction, id: ObjectId) -> Done<Todo> {
    let mut todos = transaction.open_table(TODOS)?;
    let Some(key) = find(transaction, id)? else { return Ok(Err(StoreError::NotFound)) };
    let record = stored(&todos, key)?;
    todos.remove(key)?;
    transaction.open_table(CREATED)?.remove(id.bytes())?;
    count(transaction, TOTAL, -1)?;
    if record.completed {
        count(transaction, COMPLETED, -1)?;
    }
    Ok(Ok(todo(id, record)))
}

fn find(transaction: &WriteTransaction, id: ObjectId) -> Result<Option<Key>, redb::Error> {
    let created = transaction.open_table(CREATED)?;
    let found = created.get(id.bytes())?;
    Ok(found.map(|created_at| key(created_at.value(), id)))
}

fn stored(todos: &Table<'_, Key, &[u8]>, key: Key) -> Result<Record, redb::Error> {
    match todos.get(key)? {
        Some(json) => read(json.value()),
        None => Err(redb::Error::Corrupted("an id leads to no todo".into())),
    }
}

fn count(transaction: &WriteTransaction, name: &str, change: i64) -> Result<(), redb::Error> {
    let mut counts = transaction.open_table(COUNTS)?;
    let now = counts.get(name)?.map_or(0, |count| count.value());
    counts.insert(name, now.saturating_add_signed(change))?;
    Ok(())
}

fn key(created_at: i64, id: ObjectId) -> Key {
    let mut key = [0; 20];
    let (time, rest) = key.split_at_mut(8);
    // As unsigned numbers the bytes sort like the times, none of which is before 1970.
    time.copy_from_slice(&created_at.to_be_bytes());
    rest.copy_from_slice(&id.bytes());
    key
}

fn id_of(key: Key) -> ObjectId {
    let mut id = [0; 12];
    id.copy_from_slice(&key[8..]);
    ObjectId::from_bytes(id)
}

fn read(json: &[u8]) -> Result<Record, redb::Error> {
    serde_json::from_slice(json).map_err(|error| redb::Error::Corrupted(format!("a todo cannot be read: {error}")))
}

fn write(record: &Record) -> Result<Vec<u8>, redb::Error> {
    serde_json::to_vec(record).map_err(|error| redb::Error::Corrupted(format!("a todo cannot be written: {error}")))
}

fn todo(id: ObjectId, record: Record) -> Todo {
    Todo {
        id: id.to_hex(),
        title: record.title,
        completed: record.completed,
        username: record.username,
        created_at: timestamp::rfc3339(record.created_at),
        updated_at: timestamp::rfc3339(record.updated_at),
    }
}
