//! Connection badges.

use leptos::prelude::*;

use crate::{
    cluster::{EndpointStatus, LinkState, use_cluster_mode, use_link_state},
    pages::overview::read_status,
};

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
    // Asked for in browsers only, when the instance says that it is alone.
    let outage = LocalResource::new(move || {
        let is_alone = link.get() == LinkState::Connected && !is_cluster.get();
        async move { if is_alone { read_status().await.ok()?.outage } else { None } }
    });
    let reason = move || outage.get().flatten();
    view! {
        <Badge
            label="Connection: "
            state=Signal::derive(name)
            text=Signal::derive(text)
            reason=Signal::derive(reason)
        />
    }
}

/// Says in words, with a sign beside them, how the connection to a WebSocket endpoint is doing.
#[component]
pub fn EndpointBadge(
    /// Of the connection.
    status: Signal<EndpointStatus>,
) -> impl IntoView {
    let name = move || match status.get() {
        EndpointStatus::Disconnected | EndpointStatus::AuthRequired => "stopped",
        status => status.as_str(),
    };
    let text = move || match status.get() {
        EndpointStatus::Connecting => "Connecting",
        EndpointStatus::Connected => "Connected",
        EndpointStatus::Reconnecting => "Reconnecting",
        EndpointStatus::Disconnected => "Disconnected",
        EndpointStatus::AuthRequired => "Sign in first",
    };
    view! { <Badge label="WebSocket: " state=Signal::derive(name) text=Signal::derive(text) /> }
}

#[component]
fn Badge(
    label: &'static str,
    state: Signal<&'static str>,
    text: Signal<&'static str>,
    /// Why it is so, when there is something to say.
    #[prop(optional, into)]
    reason: MaybeProp<String>,
) -> impl IntoView {
    view! {
        <p class="badge" data-state=move || state.get() title=move || reason.get()>
            <span class="visually-hidden">{label}</span>
            <svg class="badge-sign" viewBox="0 0 16 16" aria-hidden="true">
                <circle class="badge-dot" cx="8" cy="8" r="4" />
                <circle class="badge-ring" cx="8" cy="8" r="6.5" />
                <path class="badge-cross" d="M5 5l6 6m0-6l-6 6" />
            </svg>
            <span class="badge-text">{move || text.get()}</span>
            <span class="visually-hidden">{move || reason.get().map(|reason| format!(": {reason}"))}</span>
        </p>
    }
    .into_any()
}
