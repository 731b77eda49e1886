//! How saving goes, and what could not be saved.

use leptos::{prelude::*, task::spawn_local};

use super::state::Editor;
use crate::{
    cluster::{LinkState, use_link_state},
    components::{
        code::copy_text,
        toast::{Level, use_toasts},
    },
};

/// One line about the visitor's changes.
#[component]
pub(super) fn SavingStatus(editor: Editor) -> impl IntoView {
    let link = use_link_state();
    let is_offline = Memo::new(move |_| {
        editor.is_failing.get() || matches!(link.get(), LinkState::Reconnecting | LinkState::Stopped)
    });
    let status = move || match (is_offline.get(), editor.unsaved.get()) {
        (false, 0) => "All changes saved".to_owned(),
        (false, _) => "Saving…".to_owned(),
        (true, 0) => "Offline: you can go on writing".to_owned(),
        (true, 1) => "Offline: 1 change waits".to_owned(),
        (true, changes) => format!("Offline: {changes} changes wait"),
    };
    view! {
        <p class="text-status" class:text-status-offline=is_offline>
            {status}
        </p>
        // Told once, and not again with every key.
        <p class="visually-hidden" role="status">
            {move || if is_offline.get() { "Offline. Your changes wait and are saved later." } else { "" }}
        </p>
    }
    .into_any()
}

/// The visitor's own text, when it could not be put together with what others wrote.
#[component]
pub(super) fn SetAside(editor: Editor) -> impl IntoView {
    let toasts = use_toasts();
    let copy = move |_| {
        let Some(own) = editor.set_aside.get_untracked() else { return };
        spawn_local(async move {
            if copy_text(&own).await.is_ok() {
                toasts.show(Level::Success, "Copied: your text");
            } else {
                toasts.show(Level::Warning, "The browser did not allow copying. Select your text instead.");
            }
        });
    };
    view! {
        <Show when=move || editor.set_aside.with(Option::is_some)>
            <section class="notice notice-error text-set-aside" role="alert" aria-labelledby="set-aside">
                <h3 id="set-aside">"Your latest changes could not be saved"</h3>
                <p>
                    "The text changed too much while you were away, or became too long. Above is the text as it is now; here is yours."
                </p>
                <textarea rows="6" readonly aria-label="Your text" prop:value=move || editor.set_aside.get().unwrap_or_default()></textarea>
                <p class="text-set-aside-actions">
                    <button type="button" class="button" on:click=copy>
                        "Copy my text"
                    </button>
                    <button type="button" class="button button-secondary" on:click=move |_| editor.set_aside.set(None)>
                        "I do not need it"
                    </button>
                </p>
            </section>
        </Show>
    }
    .into_any()
}
