//! The front page.

use leptos::prelude::*;

use crate::{
    components::{nav::LinkCard, page::PageHeader},
    pages::address,
};

/// What this is and where to go from here.
#[component]
pub fn HomePage() -> impl IntoView {
    view! {
        <PageHeader
            title="Every browser in step"
            lead="A change made on one application instance shows in every open browser on every other, at once and in order."
        />
        <ul class="cards" role="list">
            <LinkCard
                href=address::COLLABORATIVE_TODO
                title="Collaborative to-do"
                text="A shared list. Open it in two windows, tick something off in one, and watch the other."
            />
            <LinkCard
                href=address::NOTIFICATIONS
                title="Notifications"
                text="Send a message to everybody who is here. Nothing is stored; it simply arrives."
            />
            <LinkCard
                href=address::OVERVIEW
                title="This cluster, live"
                text="Which instance serves you, whether others hear it, and how many browsers are connected."
            />
            <LinkCard
                href=address::WEBSOCKET
                title="WebSockets"
                text="Live cursors, rooms, requests and a chat: conversations that nobody keeps, on any instance."
            />
            <LinkCard
                href=address::SPA
                title="As a single page"
                text="The same demo with views that change in place, without loading a page."
            />
            <LinkCard
                href="/hello-plain.html"
                title="A plain HTML page"
                text="No framework, nothing compiled: one script tag, and a page hears all the others."
            />
            <LinkCard
                href=address::PATTERNS
                title="Patterns"
                text="An editor, notifications, a dashboard, a cart, configuration: live, each with its own source."
            />
            <LinkCard
                href=address::CODE_EXAMPLES
                title="Code to take away"
                text="A few lines of Rust or JavaScript are all a page needs to stay current."
            />
            <LinkCard
                href=address::ARCHITECTURE
                title="How it works"
                text="The way of one message, and what happens when a connection breaks."
            />
        </ul>
        <section class="explain" aria-labelledby="promises">
            <h2 id="promises">"What you can rely on"</h2>
            <dl class="facts">
                <div>
                    <dt>"In order, once"</dt>
                    <dd>"Every browser sees a channel's messages in the same order, each of them once."</dd>
                </div>
                <div>
                    <dt>"Nothing lost on the way"</dt>
                    <dd>"After a broken connection a page gets what it missed, from whichever instance answers."</dd>
                </div>
                <div>
                    <dt>"Redis is optional"</dt>
                    <dd>"One instance works alone. Several find each other through Redis, and carry on without it."</dd>
                </div>
                <div>
                    <dt>"Plain HTML first"</dt>
                    <dd>"Every form on this site works without WebAssembly; with it, pages come alive."</dd>
                </div>
            </dl>
        </section>
    }
    .into_any()
}
