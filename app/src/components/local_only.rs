//! A hint for an instance that stands alone.

use leptos::prelude::*;

use crate::{
    cluster::{LinkState, use_cluster_mode, use_link_state},
    components::mounted::use_mounted,
};

/// Says that changes stay on this instance while it has no Redis. Nothing is wrong then, so it is calm
/// and can be put away; it goes by itself when the instance joins a cluster.
#[component]
pub fn LocalOnlyHint() -> impl IntoView {
    let is_mounted = use_mounted();
    let is_cluster = use_cluster_mode();
    let link = use_link_state();
    let is_dismissed = RwSignal::new(false);
    let is_shown =
        move || is_mounted.get() && link.get() == LinkState::Connected && !is_cluster.get() && !is_dismissed.get();
    view! {
        <Show when=is_shown>
            <aside class="notice notice-info local-only" aria-label="Local mode">
                <p>
                    "Local mode: this instance runs without Redis, so changes reach the browsers that are open on it and no others."
                </p>
                <button type="button" class="button-quiet" on:click=move |_| is_dismissed.set(true)>
                    "Dismiss"
                </button>
            </aside>
        </Show>
    }
    .into_any()
}
