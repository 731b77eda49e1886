//! The collaborative to-do list: its documents, what may be in them, and the news of them.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::account::PersonName;

/// Where a created or deleted todo is announced.
pub const LIST_CHANGED: &str = "view:helloClusterTodo:list:changed";
/// Where a changed todo is announced.
pub const ITEM_UPDATED: &str = "view:helloClusterTodo:item:updated";

/// One task of the list, as stored, as answered and as broadcast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Todo {
    /// Unique; 24 hexadecimal digits, as MongoDB's object ids, whatever the store.
    #[serde(rename = "_id")]
    pub id: String,
    /// What is to be done.
    pub title: String,
    /// Whether it is done.
    pub completed: bool,
    /// Who added it; `guest` for somebody not signed in.
    pub username: String,
    /// RFC 3339, with milliseconds.
    pub created_at: String,
    /// RFC 3339, with milliseconds.
    pub updated_at: String,
}

/// A title that may be stored: trimmed, 1 to [`Title::MAX_CHARS`] characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// Characters (not bytes) of a title at most.
    pub const MAX_CHARS: usize = 200;

    /// Trims and checks a title.
    ///
    /// # Errors
    ///
    /// When nothing is left, or too much, or it holds control characters.
    pub fn parse(text: &str) -> Result<Self, TitleError> {
        let text = text.trim();
        if text.is_empty() {
            Err(TitleError::Empty)
        } else if text.chars().count() > Self::MAX_CHARS {
            Err(TitleError::TooLong)
        } else if text.chars().any(char::is_control) {
            Err(TitleError::Control)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The trimmed text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no title; the message is for the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TitleError {
    /// Nothing but white space.
    #[error("A task needs a title.")]
    Empty,
    /// More characters than a title may have.
    #[error("A title has at most {} characters.", Title::MAX_CHARS)]
    TooLong,
    /// A line break, a tab or another control character.
    #[error("A title is one line of plain text.")]
    Control,
}

/// How many todos there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TodoStats {
    /// All of them.
    pub total: u64,
    /// Those done.
    pub completed: u64,
    /// Those not done.
    pub pending: u64,
}

/// One page of the list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TodoPage {
    /// The todos of this page.
    pub todos: Vec<Todo>,
    /// Of the whole list.
    pub stats: TodoStats,
    /// Asks for the next page; `None` on the last one. Opaque to clients.
    pub next_cursor: Option<String>,
}

/// What happened to a todo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TodoAction {
    /// It is new.
    Created,
    /// It was toggled.
    Updated,
    /// It is gone.
    Deleted,
}

/// News of one todo: the payload on [`LIST_CHANGED`] and [`ITEM_UPDATED`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TodoChange {
    /// What happened.
    pub action: TodoAction,
    /// The todo after it; for a deleted one, as it last was.
    pub todo: Todo,
    /// Who did it.
    pub user: TodoUser,
    /// RFC 3339.
    pub timestamp: String,
    /// The browser tab that asked for it, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
}

/// Somebody, as others may know them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TodoUser {
    /// `guest` for somebody not signed in.
    pub username: String,
    /// `firstName` and `lastName`, where the account has them.
    #[serde(flatten)]
    pub name: PersonName,
}

/// One line of the list's audit trail: who did what to which todo, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TodoHistoryEntry {
    /// RFC 3339.
    pub at: String,
    /// What happened.
    pub action: TodoAction,
    /// To which todo; it may be gone by now.
    pub todo_id: String,
    /// Its title then.
    pub title: String,
    /// Whether it was done then.
    pub completed: bool,
    /// Who did it.
    pub user: TodoUser,
}

impl TodoHistoryEntry {
    /// Entries at most; the oldest are removed.
    pub const LIMIT: u64 = 1_000;
}

impl From<TodoChange> for TodoHistoryEntry {
    fn from(change: TodoChange) -> Self {
        let TodoChange { action, todo: Todo { id: todo_id, title, completed, .. }, user, timestamp: at, .. } = change;
        Self { at, action, todo_id, title, completed, user }
    }
}
