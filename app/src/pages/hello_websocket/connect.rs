use app::cluster::{use_endpoint, use_presence};
use leptos::prelude::*;

/// Follows live for as long as the component does.
#[component]
pub fn HereNow() -> impl IntoView {
    let endpoint = use_endpoint("/api/1/ws/hello-rooms", |_frame| {});
    let present = use_presence(endpoint);
    view! { <p>{move || format!("{} here", present.with(Vec::len))}</p> }
}
