use app::{channel, cluster::{LiveResource, TypedChannel}};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// A malformed name does not compile.
const ADDED: TypedChannel<Entry> = channel!("view:guestBook:entry:added");

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    text: String,
}

#[component]
fn GuestBook() -> impl IntoView {
    // Rendered on the server, then kept current: nothing is missed in between.
    let book = LiveResource::new(ADDED, read_book, |book: &mut Vec<Entry>, entry, _| {
        if !book.contains(&entry) {
            book.push(entry);
        }
    });
    let texts = move || book.get()?.ok().map(|book| {
        book.into_iter().map(|entry| view! { <li>{entry.text}</li> }).collect_view()
    });
    view! {
        <Transition fallback=|| "Loading">
            <ul>{texts}</ul>
        </Transition>
    }
}

#[server]
async fn read_book() -> Result<Vec<Entry>, ServerFnError> {
    // Ask your own store here.
    Ok(vec![Entry { text: "Hello".into() }])
}
