use app::{channel, cluster::{TypedChannel, publish}};
use leptos::{prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};

const SENT: TypedChannel<Note> = channel!("view:myApp:note:sent");

#[derive(Serialize, Deserialize)]
struct Note {
    sender: String,
    text: String,
}

#[component]
fn Greet() -> impl IntoView {
    let greet = move |_| {
        spawn_local(async {
            let note = Note { sender: "Ada".into(), text: "Hello, everybody".into() };
            match publish(SENT, &note).await {
                Ok(receipt) => leptos::logging::log!("taken by {}", receipt.instance_id),
                Err(error) => leptos::logging::warn!("not sent: {error}"),
            }
        });
    };
    view! { <button on:click=greet>"Greet everybody"</button> }
}
