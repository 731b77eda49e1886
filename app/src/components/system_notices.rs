//! What administrators tell everybody: a toast on every page, and a dialogue when it is critical.

use std::collections::VecDeque;

use leptos::{html, prelude::*};

use crate::{
    channel,
    cluster::{SubscribeOptions, TypedChannel, use_broadcast},
    components::toast::{Level, use_toasts},
    system_notification::{Severity, SystemNotification},
};

/// The same as [`crate::system_notification::GLOBAL`].
const GLOBAL: TypedChannel<SystemNotification> = channel!("view:system:notification:global");
/// Dialogues that wait for each other at most; one more puts the oldest away.
const WAITING: usize = 5;

/// Listens for as long as the page is open.
#[component]
pub fn SystemNotices() -> impl IntoView {
    let toasts = use_toasts();
    let waiting = RwSignal::new(VecDeque::<String>::new());
    let dialog = NodeRef::<html::Dialog>::new();
    use_broadcast(GLOBAL, SubscribeOptions::default(), move |notification, _| {
        toasts.show(level(notification.level), &notification.message);
        if notification.critical {
            waiting.update(|waiting| {
                if waiting.len() == WAITING {
                    waiting.pop_front();
                }
                waiting.push_back(notification.message);
            });
        }
    });
    Effect::new(move || {
        let is_wanted = waiting.with(|waiting| !waiting.is_empty());
        if let Some(dialog) = dialog.get()
            && is_wanted
            && !dialog.open()
        {
            // Already out of the page: then there is nobody to tell.
            let _ = dialog.show_modal();
        }
    });
    let put_away = move |_| {
        waiting.update(|waiting| drop(waiting.pop_front()));
    };
    let text = move || waiting.with(|waiting| waiting.front().cloned().unwrap_or_default());
    view! {
        <dialog node_ref=dialog aria-labelledby="system-notice" on:close=put_away>
            <h2 id="system-notice">"Important notice"</h2>
            <p>{text}</p>
            <form method="dialog" class="modal-buttons">
                <button class="button">"OK"</button>
            </form>
        </dialog>
    }
    .into_any()
}

const fn level(severity: Severity) -> Level {
    match severity {
        Severity::Info => Level::Info,
        Severity::Success => Level::Success,
        Severity::Warning => Level::Warning,
        Severity::Error => Level::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::GLOBAL;

    #[test]
    fn the_page_listens_where_the_server_speaks() {
        assert_eq!(GLOBAL.channel().as_str(), crate::system_notification::GLOBAL);
    }
}
