use app::{feature::use_feature, ports::Ports};
use leptos::prelude::*;

/// In a page: follows live when it is switched.
#[component]
fn Search() -> impl IntoView {
    let is_new = use_feature("new_search");
    view! {
        <Transition fallback=|| ()>
            {move || if is_new.get() { "Ask anything" } else { "Search" }}
        </Transition>
    }
}

/// On the server. One that nobody ever switched on is off.
async fn page_rows(ports: &Ports) -> usize {
    if ports.features.is_enabled("long_pages").await { 100 } else { 20 }
}
