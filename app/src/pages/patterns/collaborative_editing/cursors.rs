//! Where others are in the text.

use std::collections::BTreeMap;

use leptos::prelude::*;
use web_sys::js_sys::Date;
use wire::{
    endpoint::Present,
    text::{Author, Edit, Side, TextSession},
};

use crate::{
    components::presence::{display_name, tone},
    text::CursorMoved,
};

/// How long a cursor stays without a word of its owner, in milliseconds.
const SILENCE: f64 = 10_000.0;
/// Cursors shown at most; who comes later is not shown.
const CURSORS: usize = 50;
/// Characters of a name that are shown.
const NAME_CHARS: usize = 24;

/// The cursors of all others.
#[derive(Clone, Copy)]
pub(super) struct Cursors {
    /// By browser tab.
    pub(super) others: RwSignal<BTreeMap<String, Cursor>>,
    /// Said of versions that are not here yet.
    early: StoredValue<BTreeMap<String, CursorMoved>>,
    /// Whose this browser is; empty for a guest.
    pub(super) username: StoredValue<String>,
}

/// Somebody else's cursor.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cursor {
    pub(super) name: String,
    /// One of the tones of the style sheet.
    pub(super) tone: u32,
    /// Characters in front of it on this screen.
    pub(super) place: usize,
    /// When its owner last gave a sign of life, in milliseconds since 1970.
    seen: f64,
}

impl Cursors {
    pub(super) fn new(username: String) -> Self {
        Self { others: RwSignal::default(), early: StoredValue::default(), username: StoredValue::new(username) }
    }

    /// Somebody says where they are.
    pub(super) fn hear(self, said: CursorMoved, session: &TextSession) {
        match session.find(said.version, said.place) {
            Some(place) => self.put(&said.uuid, &said.username, place),
            None => drop(self.early.try_update_value(|early| {
                if early.len() < CURSORS {
                    early.insert(said.uuid.clone(), said);
                }
            })),
        }
    }

    /// The text has come to a version that some have told of before.
    pub(super) fn catch_up(self, session: &TextSession) {
        let due = self.early.try_update_value(|early| {
            let (due, rest) =
                std::mem::take(early).into_iter().partition(|(_, said)| said.version <= session.version());
            *early = rest;
            let due: BTreeMap<String, CursorMoved> = due;
            due
        });
        for said in due.into_iter().flat_map(BTreeMap::into_values) {
            self.hear(said, session);
        }
    }

    /// The text on the screen changed: every cursor stays with its character, and that of the author is
    /// where the change ends.
    pub(super) fn moved_by(self, edit: &Edit, author: Option<&Author>) {
        if self.others.with_untracked(|others| !others.is_empty()) {
            self.others.update(|others| {
                for cursor in others.values_mut() {
                    cursor.place = edit.carry(cursor.place, Side::Before);
                }
            });
        }
        if let Some(Author { uuid: Some(uuid), username }) = author
            && let Some(end) = edit.end_of_change()
        {
            self.put(uuid, username, end);
        }
    }

    /// Takes those away who have said nothing for long.
    pub(super) fn sweep(self) {
        // What they say has come by now, or never will.
        self.early.update_value(BTreeMap::clear);
        let is_over = |cursor: &Cursor| cursor.seen + SILENCE < Date::now();
        if self.others.with_untracked(|others| others.values().any(is_over)) {
            self.others.update(|others| others.retain(|_, cursor| !is_over(cursor)));
        }
    }

    /// Nobody's place is known any more.
    pub(super) fn clear(self) {
        self.others.update(BTreeMap::clear);
        self.early.update_value(BTreeMap::clear);
    }

    fn put(self, uuid: &str, username: &str, place: usize) {
        self.others.update(|others| {
            if uuid.is_empty() || (others.len() >= CURSORS && !others.contains_key(uuid)) {
                return;
            }
            let name = display_name(&Present { id: uuid.into(), username: username.into() });
            let name = name.chars().take(NAME_CHARS).collect();
            others.insert(uuid.to_owned(), Cursor { name, tone: tone(uuid), place, seen: Date::now() });
        });
    }
}
