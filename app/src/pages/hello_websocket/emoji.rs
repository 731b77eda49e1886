//! Live cursors and reactions: many small messages that nobody keeps.

mod field;
mod gesture;
mod scene;

use std::collections::VecDeque;

use leptos::prelude::*;

use crate::{
    cluster::{use_endpoint, use_presence},
    components::{badge::EndpointBadge, page::PageHeader, presence::PresenceCard, scripts::NeedsScripts},
    websocket,
};

use field::Field;
use scene::Scene;

/// The field with everybody's cursors, and who is there.
#[component]
pub fn EmojiPage() -> impl IntoView {
    let scene = Scene::new();
    let endpoint = use_endpoint(websocket::path_of(websocket::EMOJI), move |frame| scene.hear(frame));
    let present = use_presence(endpoint);
    view! {
        <PageHeader title="Emoji" lead="Everybody’s cursor on one field. Move, and let a reaction fly: all others see it." />
        <section class="card" aria-labelledby="field">
            <div class="card-head">
                <h2 id="field">"The field"</h2>
                <EndpointBadge status=endpoint.status() />
            </div>
            <NeedsScripts />
            <Field endpoint scene present />
        </section>
        <div class="columns">
            <PresenceCard present own_id=endpoint.own_id() />
            <section class="card" aria-labelledby="latest">
                <h2 id="latest">"Latest reactions"</h2>
                <Show when=move || scene.latest.with(VecDeque::is_empty)>
                    <p class="hint">"None yet. Let the first one fly."</p>
                </Show>
                <ol class="messages" role="list" aria-labelledby="latest">
                    <For each=move || scene.latest.get() key=|reaction| reaction.key let:reaction>
                        <li class="message">
                            <p>{reaction.reaction.sign()} " " {reaction.who}</p>
                        </li>
                    </For>
                </ol>
            </section>
        </div>
        <section class="explain" aria-labelledby="how">
            <h2 id="how">"How it works"</h2>
            <p>
                "Moves go to everybody on the endpoint " <code>"hello-emoji"</code>
                ", at most one every 50 milliseconds: of those in between only the latest is sent. A reaction is a message of the same endpoint. Nothing is stored, and nobody on another endpoint hears of it."
            </p>
        </section>
    }
    .into_any()
}
