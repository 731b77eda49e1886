//! The list on the screen: the confirmed list with the visitor's own wishes laid over it.
//!
//! Nothing is ever rolled back: a wish that fails is taken away, and the confirmed list is what is left.

use super::list::{Count as _, Step};
use crate::todo::{Todo, TodoStats};

/// What this browser has asked for and not had an answer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A task is to be added; `key` stands in for the id it does not have yet.
    Add {
        /// Unique in this page.
        key: String,
        /// Its title.
        title: String,
    },
    /// A task is to be ticked off, or opened again.
    Toggle {
        /// Of the task.
        id: String,
        /// What it is to be afterwards.
        completed: bool,
    },
    /// A task is to be deleted.
    Delete {
        /// Of the task.
        id: String,
    },
}

/// The list on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Newest first.
    pub rows: Vec<Row>,
    /// Of the whole list.
    pub stats: TodoStats,
    /// Whether more can be loaded.
    pub has_more: bool,
}

impl Shown {
    /// Shows `wish` as if it had come true.
    pub(super) fn grant(&mut self, wish: &Wish) {
        match wish {
            Wish::Add { key, title } => {
                self.stats.count(false, Step::In);
                self.rows.insert(0, Row::wished(key, title));
            }
            Wish::Toggle { id, completed } => {
                if let Some(row) = self.rows.iter_mut().find(|row| row.key == *id) {
                    self.stats.count(row.is_completed, Step::Out);
                    row.is_completed = *completed;
                    row.is_pending = true;
                    self.stats.count(row.is_completed, Step::In);
                }
            }
            Wish::Delete { id } => {
                if let Some(place) = self.rows.iter().position(|row| row.key == *id) {
                    let row = self.rows.remove(place);
                    self.stats.count(row.is_completed, Step::Out);
                }
            }
        }
    }
}

/// One task on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The task's id, or the key of a wish.
    pub key: String,
    /// What is to be done.
    pub title: String,
    /// Whether it is done.
    pub is_completed: bool,
    /// Whether the server has yet to answer.
    pub is_pending: bool,
    /// Who added it; empty while the server has yet to say.
    pub username: String,
    /// RFC 3339; empty while the server has yet to say.
    pub created_at: String,
}

impl From<Todo> for Row {
    fn from(todo: Todo) -> Self {
        Self {
            key: todo.id,
            title: todo.title,
            is_completed: todo.completed,
            is_pending: false,
            username: todo.username,
            created_at: todo.created_at,
        }
    }
}

impl Row {
    fn wished(key: &str, title: &str) -> Self {
        Self {
            key: key.to_owned(),
            title: title.to_owned(),
            is_completed: false,
            is_pending: true,
            username: String::new(),
            created_at: String::new(),
        }
    }
}
