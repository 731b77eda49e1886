use app::cluster::use_endpoint;
use leptos::{prelude::*, task::spawn_local};
use serde_json::json;

#[component]
fn Echo() -> impl IntoView {
    let said = RwSignal::new(String::new());
    // Connects when the page is alive, again after every loss, and ends with the component.
    let endpoint = use_endpoint("/api/1/ws/hello-request", |frame| leptos::logging::log!("{frame}"));
    let ask = move |_| {
        spawn_local(async move {
            match endpoint.ask(&json!({ "type": "echo", "text": "Hello" })).await {
                Ok(frame) => said.set(frame["data"]["text"].to_string()),
                Err(error) => said.set(error.error.to_string()),
            }
        });
    };
    view! {
        <button on:click=ask>"Ask"</button>
        <output>{said}</output>
    }
}
