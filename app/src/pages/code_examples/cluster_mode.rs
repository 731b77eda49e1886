use app::cluster::{LinkState, use_cluster_mode, use_link_state};
use leptos::prelude::*;

#[component]
fn Reach() -> impl IntoView {
    let is_cluster = use_cluster_mode();
    let link = use_link_state();
    let reach = move || match (link.get(), is_cluster.get()) {
        (LinkState::Connected, true) => "All instances hear us",
        (LinkState::Connected, false) => "On our own for now",
        _ => "Not connected",
    };
    view! { <output>{reach}</output> }
}
