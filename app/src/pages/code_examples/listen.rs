use app::{channel, cluster::{OwnMessages, SubscribeOptions, TypedChannel, publish, use_broadcast}};
use leptos::{prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};

const SENT: TypedChannel<Note> = channel!("view:myApp:note:sent");

#[derive(Serialize, Deserialize)]
struct Note {
    text: String,
}

#[component]
fn LastNote() -> impl IntoView {
    let last = RwSignal::new(String::new());
    // Everybody's notes but one's own.
    let others = SubscribeOptions { own: OwnMessages::Omit };
    use_broadcast(SENT, others, move |note, _meta| last.set(note.text));

    let wave = move |_| {
        spawn_local(async {
            if let Err(error) = publish(SENT, &Note { text: "Hello".into() }).await {
                leptos::logging::warn!("not sent: {error}");
            }
        });
    };
    view! {
        <button on:click=wave>"Wave"</button>
        <output>{last}</output>
    }
}
