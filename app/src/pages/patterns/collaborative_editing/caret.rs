//! Telling others where the visitor is.

use std::time::Duration;

use leptos::prelude::*;
use wire::text::scalars_before;

use super::state::Editor;
use crate::{
    channel,
    cluster::{
        LinkState, OwnMessages, SubscribeOptions, TypedChannel, use_broadcast, use_link_state, use_throttled_publish,
    },
    text::CursorMoved,
};

/// Where browsers tell each other where their visitors are: nothing of it is stored.
const CURSOR: TypedChannel<CursorMoved> = channel!("view:helloCluster:text:cursor");
/// The shortest time between two words on it.
const TELL_EVERY: Duration = Duration::from_millis(200);
/// How often a visitor who does nothing but look at the text says so, and silent others are taken away.
const REMIND_EVERY: Duration = Duration::from_secs(4);

/// Hears where others are, and tells where the visitor is for as long as the field has the focus. What it
/// returns tells at once.
pub(super) fn use_cursors(editor: Editor) -> impl Fn() + Clone + 'static {
    let link = use_link_state();
    use_broadcast(CURSOR, SubscribeOptions { own: OwnMessages::Omit }, move |said, meta| {
        // What was missed is long over.
        if !meta.recovered {
            editor.with(|state| editor.cursors.hear(said, &state.session));
        }
    });
    let publish = use_throttled_publish(CURSOR, TELL_EVERY);
    let tell = move || {
        if link.get_untracked() == LinkState::Connected
            && let Some(said) = place_of(editor)
        {
            publish(said);
        }
    };
    let remind = tell.clone();
    Effect::new(move |_| {
        let remind = remind.clone();
        let every = move || {
            editor.cursors.sweep();
            remind();
        };
        if let Ok(timer) = set_interval_with_handle(every, REMIND_EVERY) {
            on_cleanup(move || timer.clear());
        }
    });
    tell
}

/// Where the visitor is in the server's text: known while nothing is unsaved. Edits tell it by themselves.
fn place_of(editor: Editor) -> Option<CursorMoved> {
    let field = editor.field.get_untracked()?;
    let has_focus = document().active_element().is_some_and(|active| active.is_same_node(Some(&field)));
    let units = field.selection_end().ok().flatten()?;
    let said = editor.with(|state| {
        let session = &state.session;
        let is_synchronised = session.unsaved_changes() == 0 && !state.is_composing;
        is_synchronised.then(|| CursorMoved {
            version: session.version(),
            place: scalars_before(session.text(), units),
            username: editor.cursors.username.get_value(),
            uuid: String::new(),
        })
    });
    said.flatten().filter(|_| has_focus)
}
