//! A first page: what somebody says last shows in every open browser.

use leptos::{prelude::*, task::spawn_local};

use crate::cluster::{SubscribeOptions, TypedChannel, publish, use_broadcast};
use crate::{channel, components::page::PageHeader};

const SAID: TypedChannel<Said> = channel!("view:firstPage:word:said");

#[derive(serde::Serialize, serde::Deserialize)]
struct Said {
    text: String,
}

/// A field, a button, and the latest word.
#[component]
pub fn FirstPage() -> impl IntoView {
    let (text, latest) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    use_broadcast(SAID, SubscribeOptions::default(), move |said, _| latest.set(said.text));
    let say = move |_| spawn_local(async move { drop(publish(SAID, &Said { text: text.get_untracked() }).await) });
    view! {
        <PageHeader title="First page" lead="What somebody says last shows in every open browser." />
        <p class="actions"><input type="text" aria-label="What to say" bind:value=text /><button class="button" on:click=say>"Say it"</button><output class="lead">{latest}</output></p>
    }
}
