//! Where one browser's editing stands: what the other files of this page share.

use std::collections::VecDeque;

use leptos::{html, prelude::*};
use wire::text::{AcceptedEdit, TextSession, TextState, UndoStack};

use super::cursors::Cursors;
use crate::text::TextPage;

/// The text field and everything known about it. Copies share it.
#[derive(Clone, Copy)]
pub(super) struct Editor {
    pub(super) field: NodeRef<html::Textarea>,
    pub(super) cursors: Cursors,
    /// What is on the screen, for what is drawn over it.
    pub(super) shown: RwSignal<String>,
    /// Changes of the visitor that are not saved.
    pub(super) unsaved: RwSignal<usize>,
    /// Whether the latest try to save failed.
    pub(super) is_failing: RwSignal<bool>,
    /// The visitor's text when it could not be put together with the others'.
    pub(super) set_aside: RwSignal<Option<String>>,
    pub(super) state: StoredValue<State>,
}

/// What nobody sees.
pub(super) struct State {
    pub(super) session: TextSession,
    /// What the visitor may take back.
    pub(super) undo: UndoStack,
    /// Where and when, in milliseconds since 1970, the latest key ended.
    pub(super) last_key: Option<(usize, f64)>,
    /// Whether an input method is composing: nobody else may touch the field meanwhile.
    pub(super) is_composing: bool,
    /// What was accepted while it was.
    pub(super) held: VecDeque<AcceptedEdit>,
    /// The id of the submission whose answer is waited for.
    pub(super) sending: Option<String>,
    /// Tries in a row that failed.
    pub(super) failures: u32,
    /// Whether that is gone on with by itself.
    pub(super) will_resume: bool,
    /// What of the server's text is not here.
    pub(super) lack: Lack,
    /// Whether it is on its way.
    pub(super) is_fetching: bool,
}

/// What of the server's text is missing in this browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lack {
    /// As far as it knows, nothing.
    Nothing,
    /// Edits between the version it knows and one it heard of.
    Edits,
    /// The two have parted: only the whole text helps.
    Everything,
}

impl Editor {
    /// Shows this text.
    pub(super) fn new(page: &TextPage) -> Self {
        Self {
            field: NodeRef::new(),
            cursors: Cursors::new(page.username.clone()),
            shown: RwSignal::new(page.state.text.clone()),
            unsaved: RwSignal::new(0),
            is_failing: RwSignal::new(false),
            set_aside: RwSignal::new(None),
            state: StoredValue::new(State::new(page.state.clone())),
        }
    }

    /// Calls `with` with the state; `None` when the page is gone.
    pub(super) fn with<T>(self, with: impl FnOnce(&mut State) -> T) -> Option<T> {
        self.state.try_update_value(with)
    }

    /// Lets everything that is drawn follow the session.
    pub(super) fn show(self) {
        let Some((text, unsaved)) =
            self.with(|state| (state.session.text().to_owned(), state.session.unsaved_changes()))
        else {
            return;
        };
        self.shown.set(text);
        if self.unsaved.get_untracked() != unsaved {
            self.unsaved.set(unsaved);
        }
    }
}

impl State {
    fn new(text: TextState) -> Self {
        Self {
            session: TextSession::new(text),
            undo: UndoStack::default(),
            last_key: None,
            is_composing: false,
            held: VecDeque::new(),
            sending: None,
            failures: 0,
            will_resume: false,
            lack: Lack::Nothing,
            is_fetching: false,
        }
    }
}

/// A name for an edit that nobody else gives.
pub(super) fn new_id() -> String {
    use web_sys::js_sys::Math::random;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 2^52")]
    let digits = || (random() * 4_503_599_627_370_496.0) as u64;
    format!("{:013x}{:013x}", digits(), digits())
}
