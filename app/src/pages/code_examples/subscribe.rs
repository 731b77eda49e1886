use app::{channel, cluster::{SubscribeOptions, TypedChannel, use_broadcast}};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// A malformed name does not compile.
const SENT: TypedChannel<Note> = channel!("view:myApp:note:sent");

#[derive(Serialize, Deserialize)]
struct Note {
    sender: String,
    text: String,
}

#[component]
fn LastNote() -> impl IntoView {
    let last = RwSignal::new(String::new());
    // Ends with the component.
    use_broadcast(SENT, SubscribeOptions::default(), move |note, meta| {
        leptos::logging::log!("message {} of {}", meta.id, meta.channel);
        last.set(format!("{}: {}", note.sender, note.text));
    });
    view! { <output>{last}</output> }
}
