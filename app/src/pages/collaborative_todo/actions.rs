//! What can be done to a list of tasks, whichever way it is done.

use leptos::prelude::*;

use super::shown::Wish;

/// What the buttons and forms of a list call.
#[derive(Clone, Copy)]
pub(in crate::pages) struct Actions {
    /// Adds a task of this title; the callback takes the title back when the server says no.
    pub(in crate::pages) add: Callback<(String, Callback<String>)>,
    /// Ticks a task off (`true`), or opens it again.
    pub(in crate::pages) toggle: Callback<(String, bool)>,
    /// Deletes a task.
    pub(in crate::pages) delete: Callback<String>,
    /// Loads what follows the loaded part.
    pub(in crate::pages) load_more: Callback<()>,
}

/// What this browser has asked for and not had an answer to.
#[derive(Clone, Copy)]
pub(in crate::pages) struct Wishes {
    made: StoredValue<u32>,
    open: RwSignal<Vec<Wish>>,
}

impl Wishes {
    pub(in crate::pages) fn new() -> Self {
        Self { made: StoredValue::new(0), open: RwSignal::new(Vec::new()) }
    }

    /// The wish for a task of this title.
    pub(in crate::pages) fn to_add(self, title: &str) -> Wish {
        let number = self.made.get_value() + 1;
        self.made.set_value(number);
        Wish::Add { key: format!("wish-{number}"), title: title.to_owned() }
    }

    /// Calls `read` with those that are open.
    pub(in crate::pages) fn with<T>(self, read: impl FnOnce(&[Wish]) -> T) -> T {
        self.open.with(|open| read(open))
    }

    /// Shows a wish.
    pub(in crate::pages) fn show(self, wish: Wish) {
        self.open.update(|open| open.push(wish));
    }

    /// Shows a wish no more.
    pub(in crate::pages) fn end(self, wish: &Wish) {
        self.end_first(|other| other == wish);
    }

    /// A task of this title is there: the wish for it has come true.
    pub(in crate::pages) fn come_true(self, added: &str) {
        self.end_first(|wish| matches!(wish, Wish::Add { title, .. } if title == added));
    }

    fn end_first(self, is_meant: impl Fn(&Wish) -> bool) {
        // The page may be gone when an answer comes.
        self.open.try_update(|open| {
            if let Some(place) = open.iter().position(is_meant) {
                open.remove(place);
            }
        });
    }
}
