//! The audit trail of the to-do list, the same in every store.

use app::{
    ports::Announcement,
    todo::{TodoChange, TodoHistoryEntry},
};
use serde_json::Value;

/// The entry for an announced change: its payload without the id of the tab. `None` for a change without an
/// announcement.
pub(super) fn entry(announcement: Option<&Announcement>) -> Option<TodoHistoryEntry> {
    let payload = Value::Object(announcement?.payload.clone());
    serde_json::from_value::<TodoChange>(payload).ok().map(TodoHistoryEntry::from)
}
