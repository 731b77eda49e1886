//! What can be done to the to-do list: one way for REST routes and server functions alike.
//!
//! Every change goes validate → save → answer → broadcast. The saved document is the truth; the
//! broadcast is news of it, saved in the same transaction, so that neither is without the other.

use http::StatusCode;
use serde_json::Value;
use thiserror::Error;
use wire::{Channel, Code};

use crate::{
    ports::{Announcement, Ports, Publisher, StoreError, Tell},
    timestamp,
    todo::{
        ITEM_UPDATED, LIST_CHANGED, Title, TitleError, Todo, TodoAction, TodoChange, TodoHistoryEntry, TodoPage,
        TodoUser,
    },
};

/// Who did it, when nobody is signed in.
const GUEST: &str = "guest";

/// One page of the list, newest first; `cursor` is the `next_cursor` of the page before.
///
/// # Errors
///
/// When the cursor is not one of ours, or the store does not answer.
pub async fn list(ports: &Ports, limit: usize, cursor: Option<&str>) -> Result<TodoPage, TodoError> {
    Ok(ports.todos.list(limit, cursor).await?)
}

/// Adds a todo with this text as its title and tells every open browser.
///
/// # Errors
///
/// When the text is no title, or the store does not answer.
pub async fn create(ports: &Ports, text: &str, publisher: Publisher) -> Result<Todo, TodoError> {
    let title = Title::parse(text)?;
    let username = name(&publisher).to_owned();
    Ok(ports.todos.create(&title, &username, tell(TodoAction::Created, publisher)).await?)
}

/// Turns done into not done and back, and tells every open browser.
///
/// # Errors
///
/// When there is no such todo, or the store does not answer.
pub async fn toggle(ports: &Ports, id: &str, publisher: Publisher) -> Result<Todo, TodoError> {
    Ok(ports.todos.toggle(id, tell(TodoAction::Updated, publisher)).await?)
}

/// Removes a todo and tells every open browser; the todo as it last was.
///
/// # Errors
///
/// When there is no such todo, or the store does not answer.
pub async fn delete(ports: &Ports, id: &str, publisher: Publisher) -> Result<Todo, TodoError> {
    Ok(ports.todos.delete(id, tell(TodoAction::Deleted, publisher)).await?)
}

/// The audit trail of the list, newest first.
///
/// # Errors
///
/// When the store does not answer.
pub async fn history(ports: &Ports, limit: usize) -> Result<Vec<TodoHistoryEntry>, TodoError> {
    Ok(ports.todos.history(limit).await?)
}

/// Why the list was not changed or shown; the message is for the visitor.
#[derive(Debug, Error)]
pub enum TodoError {
    /// The text is no title.
    #[error(transparent)]
    Title(#[from] TitleError),
    /// There is no todo with this id.
    #[error("This task does not exist any more.")]
    NotFound,
    /// The id is not one a todo could have.
    #[error("This is not the id of a task.")]
    InvalidId,
    /// The cursor was not made by this list.
    #[error("This is not a cursor of this list.")]
    InvalidCursor,
    /// The store does not answer just now; the source is for the log, not for the visitor.
    #[error("The list cannot be reached just now; nothing was changed. Please try again in a moment.")]
    Unavailable(#[source] StoreError),
}

impl TodoError {
    /// The code for programs.
    pub fn code(&self) -> Code {
        match self {
            Self::Title(_) | Self::InvalidCursor => Code::ValidationError,
            Self::NotFound => Code::TodoNotFound,
            Self::InvalidId => Code::InvalidId,
            Self::Unavailable(_) => Code::StoreUnavailable,
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Title(_) | Self::InvalidCursor | Self::InvalidId => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<StoreError> for TodoError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::InvalidId => Self::InvalidId,
            StoreError::InvalidCursor => Self::InvalidCursor,
            StoreError::Unavailable(_) => Self::Unavailable(error),
        }
    }
}

fn name(publisher: &Publisher) -> &str {
    if publisher.username.is_empty() { GUEST } else { &publisher.username }
}

/// What everybody hears of a change.
fn tell(action: TodoAction, publisher: Publisher) -> Tell<Todo> {
    Box::new(move |todo| announcement(action, todo, &publisher))
}

fn announcement(action: TodoAction, todo: &Todo, publisher: &Publisher) -> Option<Announcement> {
    let channel = match action {
        TodoAction::Created | TodoAction::Deleted => LIST_CHANGED,
        TodoAction::Updated => ITEM_UPDATED,
    };
    let change = TodoChange {
        action,
        todo: todo.clone(),
        user: TodoUser { username: name(publisher).to_owned(), name: publisher.name.clone() },
        timestamp: timestamp::rfc3339(timestamp::now()),
        uuid: publisher.uuid.as_deref().map(str::to_owned),
    };
    // Both are constants of this crate, so neither can miss; a test holds that.
    let (Ok(channel), Ok(Value::Object(payload))) = (Channel::parse(channel), serde_json::to_value(change)) else {
        return None;
    };
    Some(Announcement { channel, payload, publisher: publisher.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::PersonName;

    #[test]
    fn every_change_is_announced_on_the_channel_of_its_kind() {
        let todo = Todo {
            id: "0123456789abcdef01234567".into(),
            title: "tea".into(),
            completed: false,
            username: GUEST.into(),
            created_at: timestamp::rfc3339(0),
            updated_at: timestamp::rfc3339(0),
        };
        let name = PersonName { first_name: "Mona".into(), last_name: String::new() };
        let publisher = Publisher { uuid: Some("tab".into()), username: String::new(), name };
        for (action, channel, word) in [
            (TodoAction::Created, LIST_CHANGED, "created"),
            (TodoAction::Updated, ITEM_UPDATED, "updated"),
            (TodoAction::Deleted, LIST_CHANGED, "deleted"),
        ] {
            let Announcement { channel: on, payload, publisher: by } = tell(action, publisher.clone())(&todo).unwrap();
            assert_eq!((on.as_str(), by), (channel, publisher.clone()));
            assert_eq!((&payload["action"], &payload["uuid"]), (&word.into(), &"tab".into()));
            assert_eq!(payload["todo"], serde_json::to_value(&todo).unwrap());
            // What the account does not have is left out.
            assert_eq!(payload["user"], serde_json::json!({ "username": GUEST, "firstName": "Mona" }));
        }
    }

    #[test]
    fn every_error_has_its_code_and_status() {
        let broken = StoreError::Unavailable("gone".into());
        let cases = [
            (TodoError::from(TitleError::Empty), 400, "VALIDATION_ERROR"),
            (StoreError::NotFound.into(), 404, "TODO_NOT_FOUND"),
            (StoreError::InvalidId.into(), 400, "INVALID_ID"),
            (StoreError::InvalidCursor.into(), 400, "VALIDATION_ERROR"),
            (broken.into(), 503, "STORE_UNAVAILABLE"),
        ];
        for (error, status, code) in cases {
            assert_eq!((error.status().as_u16(), error.code().as_str()), (status, code), "{error:?}");
        }
    }
}
