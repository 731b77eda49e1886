//! Leaving the page while something is not saved.

use leptos::{ev, prelude::*, task::spawn_local};
use wire::text::TextSession;

use super::{
    functions::submit_edit,
    state::{Editor, new_id},
};
use crate::components::toast::{Level, Toasts, use_toasts};

/// What the toast says.
const NOT_SAVED: &str = "Your latest changes to the shared text could not be saved.";

/// Whoever closes the tab is asked first. On the way to another page of the site, what is left is saved
/// behind the scenes; if that fails, a toast says so.
pub(super) fn use_safe_leaving(editor: Editor) {
    Effect::new(move |_| {
        let asking = window_event_listener(ev::beforeunload, move |event| {
            let is_unsaved = editor.unsaved.try_get_untracked().is_some_and(|unsaved| unsaved != 0);
            if is_unsaved || editor.with(|state| state.is_composing) == Some(true) {
                event.prevent_default();
            }
        });
        on_cleanup(move || asking.remove());
    });
    let toasts = use_toasts();
    on_cleanup(move || {
        // What is being composed is part of what the visitor wrote.
        editor.composed();
        let session = editor.with(|state| state.session.clone());
        if let Some(session) = session.filter(|session| session.unsaved_changes() != 0) {
            spawn_local(save_the_rest(session, toasts));
        }
    });
}

async fn save_the_rest(mut session: TextSession, toasts: Toasts) {
    // An edit has an id: one that is on its way already is taken once.
    while let Some(submission) = session.submission() {
        let Ok(edits) = submit_edit(submission).await else {
            toasts.show(Level::Error, NOT_SAVED);
            return;
        };
        let before = session.unsaved_changes();
        for accepted in edits {
            // What does not fit is noticed right below.
            let _ = session.hear(&accepted, new_id);
        }
        if session.unsaved_changes() >= before {
            toasts.show(Level::Error, NOT_SAVED);
            return;
        }
    }
}
