//! The WebSocket demo: conversations that nobody keeps, each on an endpoint of its own.

mod chat;
mod emoji;
mod request;
mod rooms;
mod said;
mod todo;

use leptos::prelude::*;
use leptos_router::{components::Outlet, hooks::use_location};

use crate::{
    components::{
        code::CodeSample,
        nav::{LinkCard, PageLink},
        page::PageHeader,
    },
    pages::address,
};

pub use chat::ChatPage;
pub use emoji::EmojiPage;
pub use request::RequestPage;
pub use rooms::RoomsPage;
pub use todo::WebSocketTodoPage;

/// The pages of the demo.
const PAGES: [(&str, &str); 6] = [
    (address::WEBSOCKET, "All demos"),
    (address::WEBSOCKET_EMOJI, "Emoji"),
    (address::WEBSOCKET_TODO, "To-do"),
    (address::WEBSOCKET_ROOMS, "Rooms"),
    (address::WEBSOCKET_REQUEST, "Requests"),
    (address::WEBSOCKET_CHAT, "Chat"),
];

/// What all pages of the demo stand in.
#[component]
pub fn WebSocketDemo() -> impl IntoView {
    let path = use_location().pathname;
    let links = PAGES
        .into_iter()
        .map(|(href, label)| {
            let is_current = move || path.with(|path| path.trim_end_matches('/') == href.trim_end_matches('/'));
            let current = move || is_current().then_some("page");
            view! { <li><a href=href target="_self" aria-current=current>{label}</a></li> }
        })
        .collect_view();
    view! {
        <nav class="sub-nav" aria-label="WebSocket demo">
            <ul role="list">{links}</ul>
        </nav>
        <Outlet />
    }
    .into_any()
}

/// Where the demo begins: what there is, and when to use it.
#[component]
pub fn WebSocketPage() -> impl IntoView {
    view! {
        <PageHeader
            title="WebSockets"
            lead="Conversations of browsers and server: fast, in both directions, on any instance, kept by nobody."
        />
        <ul class="cards" role="list">
            <LinkCard
                href=address::WEBSOCKET_EMOJI
                title="Emoji"
                text="Everybody’s cursor on one field, twenty times a second, with reactions that fly."
            />
            <LinkCard
                href=address::WEBSOCKET_TODO
                title="To-do"
                text="The shared list once more, with every change asked and answered over one socket."
            />
            <LinkCard
                href=address::WEBSOCKET_ROOMS
                title="Rooms"
                text="Come in, see who is there, say something that nobody outside hears, leave."
            />
            <LinkCard
                href=address::WEBSOCKET_REQUEST
                title="Requests"
                text="Ask the server and let it ask back: every request is answered exactly once."
            />
            <LinkCard
                href=address::WEBSOCKET_CHAT
                title="Chat"
                text="Both technologies together: messages over a socket, notices as broadcasts."
            />
        </ul>
        <section class="explain" aria-labelledby="which">
            <h2 id="which">"Broadcast or WebSocket?"</h2>
            <dl class="facts">
                <div>
                    <dt>
                        <PageLink href=address::OVERVIEW>"Broadcasts"</PageLink>
                    </dt>
                    <dd>
                        "For news of changes that must not be lost: each channel has a log, and a page that was away gets what it missed."
                    </dd>
                </div>
                <div>
                    <dt>"WebSocket endpoints"</dt>
                    <dd>
                        "For what is true only now: who is here, where a pointer is, what somebody types. Each endpoint has its own rule of who may enter, its own limits, and hears nothing of the others."
                    </dd>
                </div>
            </dl>
        </section>
        <div class="samples">
            <CodeSample title="Join the conversation" language="JavaScript" code=include_str!("hello_websocket/connect.js") />
            <CodeSample title="The same in a page" language="Rust" code=include_str!("hello_websocket/connect.rs") />
        </div>
    }
    .into_any()
}

/// What visitors copy must compile.
#[cfg(all(doctest, feature = "ssr"))]
#[doc = concat!("```no_run\n", include_str!("hello_websocket/connect.rs"), "\n# fn main() {}\n```")]
struct Connect;
