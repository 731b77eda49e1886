//! What went wrong lately, with what was being done and nothing that is private.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

/// Errors that are kept, here and in Redis; the oldest go.
pub const KEPT: usize = 100;
/// Characters of a message, and of a stack, that are stored.
const MESSAGE_CHARS: usize = 500;

/// One error. It says where it happened by route, never by the address that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RecordedError {
    /// What the visitor was told, or what whoever reported it wrote.
    pub message: String,
    /// Where in the program it was made, in a few lines; the cause is in the log.
    pub stack: Option<String>,
    /// Where.
    pub instance_id: String,
    /// When, in milliseconds since 1970.
    pub timestamp: u64,
    /// What was being done.
    pub context: ErrorContext,
}

/// What was being done when an error happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorContext {
    /// The route's template, or the part of the server that reports.
    pub url: String,
    /// The request's method; empty outside requests.
    pub method: String,
    /// The answer's status; 0 outside requests.
    pub status: u16,
    /// The answer's code, when it had one.
    pub code: Option<String>,
    /// Who asked; `null` for a guest.
    #[serde(rename = "userId")]
    pub user_id: Option<String>,
}

/// The errors of this instance.
#[derive(Default)]
pub(super) struct Errors {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The newest last.
    kept: VecDeque<RecordedError>,
    /// How many of them, from the end, are not in Redis yet.
    unsent: usize,
}

impl Errors {
    pub(super) fn add(&self, mut error: RecordedError) {
        shorten(&mut error.message);
        if let Some(stack) = &mut error.stack {
            shorten(stack);
        }
        let mut inner = self.inner();
        inner.kept.push_back(error);
        if inner.kept.len() > KEPT {
            inner.kept.pop_front();
        }
        inner.unsent = (inner.unsent + 1).min(KEPT);
    }

    /// The latest, newest first.
    pub(super) fn latest(&self, count: usize) -> Vec<RecordedError> {
        self.inner().kept.iter().rev().take(count).cloned().collect()
    }

    /// Those that are not in Redis yet, oldest first.
    pub(super) fn unsent(&self) -> Vec<RecordedError> {
        let inner = self.inner();
        let first = inner.kept.len() - inner.unsent.min(inner.kept.len());
        inner.kept.range(first..).cloned().collect()
    }

    /// So many more are in Redis.
    pub(super) fn sent(&self, count: usize) {
        let mut inner = self.inner();
        inner.unsent = inner.unsent.saturating_sub(count);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shorten(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(MESSAGE_CHARS) {
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_hundred_are_kept_and_sent_once() {
        let errors = Errors::default();
        for number in 0..150_u64 {
            errors.add(RecordedError { timestamp: number, message: "x".repeat(600), ..RecordedError::default() });
        }
        let latest = errors.latest(3);
        assert_eq!(latest.iter().map(|error| error.timestamp).collect::<Vec<_>>(), [149, 148, 147]);
        assert_eq!(latest[0].message.len(), MESSAGE_CHARS);
        assert_eq!(errors.unsent().len(), KEPT);
        errors.sent(99);
        assert_eq!(errors.unsent().iter().map(|error| error.timestamp).collect::<Vec<_>>(), [149]);
    }
}
