//! The connection badge.

use leptos::prelude::*;

use crate::cluster::{LinkState, use_cluster_mode, use_link_state};

/// Says in words, with a sign beside them, whether this browser hears of changes.
#[component]
pub fn ConnectionBadge() -> impl IntoView {
    let link = use_link_state();
    let is_cluster = use_cluster_mode();
    let name = move || match link.get() {
        LinkState::Connecting => "connecting",
        LinkState::Connected => "connected",
        LinkState::Reconnecting => "reconnecting",
        LinkState::Stopped => "stopped",
    };
    let text = move || match (link.get(), is_cluster.get()) {
        (LinkState::Connecting, _) => "Connecting",
        (LinkState::Connected, true) => "Live",
        (LinkState::Connected, false) => "Live, local",
        (LinkState::Reconnecting, _) => "Reconnecting",
        (LinkState::Stopped, _) => "Disconnected",
    };
    view! {
        <p class="badge" data-state=name>
            <span class="visually-hidden">"Connection: "</span>
            <svg class="badge-sign" viewBox="0 0 16 16" aria-hidden="true">
                <circle class="badge-dot" cx="8" cy="8" r="4" />
                <circle class="badge-ring" cx="8" cy="8" r="6.5" />
                <path class="badge-cross" d="M5 5l6 6m0-6l-6 6" />
            </svg>
            <span class="badge-text">{text}</span>
        </p>
    }
    .into_any()
}
