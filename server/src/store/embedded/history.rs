//! The audit trail of the to-do list in the embedded store.

use app::{ports::Announcement, todo::TodoHistoryEntry};
use mongodb::bson::oid::ObjectId;
use redb::{ReadTransaction, ReadableTableMetadata, TableDefinition, WriteTransaction};

use super::super::history;

/// The entries as JSON, by id, which sorts by time.
const HISTORY: TableDefinition<'_, [u8; 12], &[u8]> = TableDefinition::new("todos.history");

/// Makes the table.
pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(HISTORY)?;
    Ok(())
}

/// Adds an announced change to the trail; the oldest entry goes when there are too many.
pub(super) fn add(transaction: &WriteTransaction, announcement: Option<&Announcement>) -> Result<(), redb::Error> {
    let Some(entry) = history::entry(announcement) else { return Ok(()) };
    let json = serde_json::to_vec(&entry)
        .map_err(|error| redb::Error::Corrupted(format!("an entry of the audit trail cannot be written: {error}")))?;
    let mut table = transaction.open_table(HISTORY)?;
    table.insert(ObjectId::new().bytes(), json.as_slice())?;
    while table.len()? > TodoHistoryEntry::LIMIT {
        table.pop_first()?;
    }
    Ok(())
}

/// The latest entries, newest first.
pub(super) fn latest(transaction: &ReadTransaction, limit: usize) -> Result<Vec<TodoHistoryEntry>, redb::Error> {
    let table = transaction.open_table(HISTORY)?;
    let newest = table.range::<[u8; 12]>(..)?.rev().take(limit);
    newest
        .map(|entry| {
            serde_json::from_slice(entry?.1.value())
                .map_err(|error| redb::Error::Corrupted(format!("an entry of the audit trail cannot be read: {error}")))
        })
        .collect()
}
