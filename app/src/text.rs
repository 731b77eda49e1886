//! The text that everybody edits at once: what pages and programs hear of it.

use serde::{Deserialize, Serialize};
use wire::{
    Position,
    text::{AcceptedEdit, Author, Edit, TextState},
};

/// Where each accepted edit is announced.
pub const EDITED: &str = "view:system:text:edited";
/// Where browsers tell each other where their visitors are.
pub const CURSOR: &str = "view:helloCluster:text:cursor";

/// The text as a page gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextPage {
    /// The text and its version.
    #[serde(flatten)]
    pub state: TextState,
    /// Where the log of [`EDITED`] ended *before* the text was read: what follows is not in it, or is known
    /// by its version.
    pub position: Option<Position>,
    /// Who reads it; empty for a guest.
    pub username: String,
}

/// News of an accepted edit: the payload on [`EDITED`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextChange {
    /// The version it led to.
    pub version: u64,
    /// As it was submitted.
    pub id: String,
    /// What changed. Absent when it is too long to be told to everybody: whoever needs it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit: Option<Edit>,
    /// Who changed it.
    #[serde(flatten)]
    pub author: Author,
}

impl TextChange {
    /// The edit itself, if it was told.
    pub fn accepted(self) -> Option<AcceptedEdit> {
        let Self { version, id, edit, author } = self;
        Some(AcceptedEdit { version, id, edit: edit?, author })
    }
}

/// Where somebody's cursor is: the payload on [`CURSOR`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorMoved {
    /// Of the text that the place is in.
    pub version: u64,
    /// Characters in front of it.
    pub place: usize,
    /// Empty for a guest.
    #[serde(default)]
    pub username: String,
    /// The browser tab; the relay adds it.
    #[serde(default, skip_serializing)]
    pub uuid: String,
}
