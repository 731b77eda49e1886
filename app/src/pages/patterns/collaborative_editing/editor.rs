//! What happens to the text field: the visitor types, others do.

use leptos::prelude::*;
use web_sys::js_sys::Date;
use wire::text::{
    AcceptedEdit, Edit, EditError, Heard, Step, Typing, UndoStack, plain_text, scalars_before, units_before,
};

use super::state::{Editor, State, new_id};

/// Edits held back while an input method composes; with more they are fetched afterwards.
const HELD: usize = 500;
/// After a pause so long, in milliseconds, keys are taken back by themselves.
const PAUSE: f64 = 1_000.0;

impl Editor {
    /// The visitor changed the field, with an input method that composes or without one. What is half composed is
    /// neither sent nor counted as a change.
    pub(super) fn changed(self, is_composing: bool) {
        if is_composing {
            self.composing();
        } else {
            // Also when a composition ended without an event of its own.
            self.composed();
        }
    }

    /// Takes in what the visitor changed in the field.
    pub(super) fn typed(self) {
        let Some(field) = self.field.get_untracked() else { return };
        let value = field.value();
        let caret = field.selection_end().ok().flatten().map(|units| scalars_before(&value, units));
        let text = plain_text(&value);
        if text.len() != value.len() {
            // Something was pasted that a text cannot hold.
            field.set_value(&text);
        }
        let edit = self.with(|state| {
            let edit = Edit::between(state.session.text(), &text, caret);
            state.remember(&edit);
            edit
        });
        if let Some(edit) = edit {
            self.take_in(edit);
        }
    }

    /// Takes the visitor's latest change back, or does it again, as `pick` says; others' changes stay.
    pub(super) fn turn_back(self, pick: fn(&mut UndoStack, &str) -> Option<Edit>) {
        let picked = self.with(|state| {
            if state.is_composing {
                return None;
            }
            state.last_key = None;
            let before = state.session.text().to_owned();
            pick(&mut state.undo, &before).map(|edit| (edit, before))
        });
        let (Some((edit, before)), Some(field)) = (picked.flatten(), self.field.get_untracked()) else { return };
        for splice in edit.splices(&before) {
            // It fails for places beyond the end alone.
            let _ = field.set_range_text_with_start_and_end(&splice.text, splice.start, splice.end);
        }
        if let (Some(end), Ok(text)) = (edit.end_of_change(), edit.apply(&before)) {
            let units = units_before(&text, end);
            // As above.
            let _ = field.set_selection_range(units, units);
        }
        self.take_in(edit);
    }

    /// The field was changed like this by its visitor.
    fn take_in(self, edit: Edit) {
        let typed = self.with(|state| state.session.type_in(edit.clone(), new_id));
        // The edit was made from the very text of the session: nothing else is ever made.
        if let Some(Ok(submission)) = typed {
            self.cursors.moved_by(&edit, None);
            self.show();
            if let Some(submission) = submission {
                self.submit(submission);
            }
        }
    }

    /// An input method begins to compose.
    pub(super) fn composing(self) {
        self.with(|state| state.is_composing = true);
    }

    /// It is through, or the visitor left the field, which ends it: what was composed is taken in, and behind it what
    /// was held back.
    pub(super) fn composed(self) {
        let held = self.with(|state| {
            state.is_composing = false;
            std::mem::take(&mut state.held)
        });
        let Some(held) = held else { return };
        self.typed();
        let may_lack = held.len() == HELD;
        self.hear_all(held);
        if may_lack {
            self.catch_up();
        }
    }

    /// The server accepted these, in this order.
    pub(super) fn hear_all(self, edits: impl IntoIterator<Item = AcceptedEdit>) {
        for accepted in edits {
            if !self.hear(accepted) {
                return;
            }
        }
    }

    /// Whether what follows can be heard as well.
    fn hear(self, accepted: AcceptedEdit) -> bool {
        let heard = self.with(|state| {
            if state.is_composing {
                // Beyond the bound a hole is noticed, and filled, when composing is over.
                if state.held.len() < HELD {
                    state.held.push_back(accepted.clone());
                }
                return Ok(None);
            }
            let before = state.session.text().to_owned();
            let heard = state.session.hear(&accepted, new_id)?;
            if let Heard::Changed(theirs) = &heard {
                state.undo.passed(theirs)?;
            }
            Ok(Some((before, heard)))
        });
        match heard {
            None | Some(Ok(None | Some((_, Heard::Known)))) => {}
            Some(Ok(Some((before, Heard::Changed(edit))))) => {
                self.change_field(&edit, &before);
                self.cursors.moved_by(&edit, Some(&accepted.author));
                self.with(|state| self.cursors.catch_up(&state.session));
                self.show();
            }
            Some(Ok(Some((_, Heard::Saved(next))))) => {
                self.saved();
                if let Some(submission) = next {
                    self.submit(submission);
                }
            }
            Some(Ok(Some((_, Heard::Hole)))) => {
                self.catch_up();
                return false;
            }
            Some(Err(EditError::Mismatch | EditError::EmptyStep | EditError::TooLong)) => {
                self.begin_anew();
                return false;
            }
        }
        true
    }

    /// Changes the field where somebody else did, and nowhere else: selection and scrolling stay.
    fn change_field(self, edit: &Edit, before: &str) {
        let Some(field) = self.field.get_untracked() else { return };
        for splice in edit.splices(before) {
            // It fails for places beyond the end alone, and the field is compared below.
            let _ = field.set_range_text_with_start_and_end(&splice.text, splice.start, splice.end);
        }
        let is_same = self.with(|state| field.value() == state.session.text());
        if is_same == Some(false) {
            self.with(|state| field.set_value(state.session.text()));
        }
    }
}

impl State {
    /// So that it can be taken back, together with the keys before it of the same word.
    fn remember(&mut self, edit: &Edit) {
        if edit.is_nothing() {
            return;
        }
        let now = Date::now();
        let start = match edit.steps() {
            [Step::Keep(start), ..] => *start,
            _ => 0,
        };
        let is_key = edit.inserted_chars() == 1 && edit.length_after() == edit.length_before() + 1;
        let goes_on = is_key && self.last_key.is_some_and(|(end, at)| end == start && now - at < PAUSE);
        let typing = if goes_on { Typing::On } else { Typing::Anew };
        self.last_key = is_key.then_some((start + 1, now));
        // It was made from the very text of the session.
        let _ = self.undo.typed(edit, self.session.text(), typing);
    }
}
