//! Talking to an endpoint by hand, frame by frame.

mod frames;

use leptos::{ev::SubmitEvent, html, prelude::*};
use leptos_router::hooks::use_query_map;
use serde_json::Value;

use super::websocket_endpoints::read_endpoints;
use crate::{
    cluster::{Raw, RawSaid, use_raw_socket},
    components::{page::PageHeader, scripts::NeedsScripts, skeleton::Skeleton},
    pages::{address, admin::Refused},
    websocket::{self, EndpointEntry},
};

use frames::{Frame, Frames, Kind};

/// The query parameter that names the path to connect to.
const PATH: &str = "path";

/// Messages to begin with.
const EXAMPLES: [(&str, &str); 5] = [
    ("Echo", r#"{"type": "echo", "text": "Hello", "requestId": 1}"#),
    ("Presence", r#"{"type": "presence", "requestId": 2}"#),
    ("Join a room", r#"{"type": "join", "roomId": "lobby", "requestId": 3}"#),
    ("Broadcast", r#"{"type": "broadcast", "data": {"text": "Hello, everybody"}}"#),
    ("Not JSON", "hello"),
];

/// For administrators: the console.
#[component]
pub fn WebSocketConsolePage() -> impl IntoView {
    let entries = Resource::new(|| (), |()| read_endpoints());
    view! {
        <PageHeader
            title="WebSocket test console"
            lead="Connect to any endpoint as yourself, send what you like, and see every frame as it is."
        />
        <Transition fallback=|| view! { <Skeleton lines=6 /> }>
            {move || {
                entries
                    .get()
                    .map(|outcome| match outcome {
                        Ok(entries) => view! { <Console entries /> }.into_any(),
                        Err(problem) => view! { <Refused problem page=address::ADMIN_WEBSOCKET_CONSOLE /> }.into_any(),
                    })
            }}
        </Transition>
    }
    .into_any()
}

/// How the console's socket is doing.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Closed,
    Opening,
    Open,
}

#[component]
fn Console(entries: Vec<EndpointEntry>) -> impl IntoView {
    let wanted = use_query_map().read_untracked().get(PATH);
    let wanted = wanted.unwrap_or_else(|| websocket::path_of(websocket::TEST));
    let raw = use_raw_socket();
    let state = RwSignal::new(State::Closed);
    let frames = Frames::new();
    let path = NodeRef::<html::Input>::new();
    let connect = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(path) = path.get_untracked().map(|path| path.value()) else { return };
        if state.get_untracked() == State::Closed {
            open(raw, state, frames, path.trim());
        } else {
            raw.close();
            state.set(State::Closed);
            frames.keep(Kind::Note, "You closed the connection.".to_owned());
        }
    };
    let state_text = move || match state.get() {
        State::Closed => "Not connected",
        State::Opening => "Connecting",
        State::Open => "Connected",
    };
    let is_closed = move || state.get() == State::Closed;
    let options = entries.into_iter().map(|entry| view! { <option value=entry.path></option> }).collect_view();
    view! {
        <NeedsScripts />
        <section class="card" aria-labelledby="connection">
            <div class="card-head">
                <h2 id="connection">"Connection"</h2>
                <p role="status">{state_text}</p>
            </div>
            <form class="add-form" on:submit=connect>
                <label for="console-path">"Path"</label>
                <div class="field-row">
                    <input
                        id="console-path"
                        type="text"
                        required
                        list="console-paths"
                        autocomplete="off"
                        autocapitalize="none"
                        spellcheck="false"
                        readonly=move || !is_closed()
                        value=wanted
                        node_ref=path
                    />
                    <datalist id="console-paths">{options}</datalist>
                    <button type="submit" class="button" class:button-secondary=move || !is_closed()>
                        {move || if is_closed() { "Connect" } else { "Disconnect" }}
                    </button>
                </div>
            </form>
        </section>
        <SendCard raw state frames />
        <FrameCard frames />
    }
    .into_any()
}

fn open(raw: Raw, state: RwSignal<State>, frames: Frames, path: &str) {
    // Another site's address would not be a path.
    if !path.starts_with('/') || path.starts_with("//") {
        frames.keep(Kind::Note, "A path begins with one slash, such as /api/1/ws/hello-emoji.".to_owned());
        return;
    }
    state.set(State::Opening);
    frames.keep(Kind::Note, format!("Connecting to {path}"));
    raw.open(path, move |said| match said {
        RawSaid::Opened => drop(state.try_set(State::Open)),
        RawSaid::Frame(text) => frames.keep(Kind::Received, text),
        RawSaid::Closed(code) => {
            state.try_set(State::Closed);
            frames.keep(Kind::Note, format!("Closed with code {code}."));
        }
        RawSaid::Refused(status) => {
            state.try_set(State::Closed);
            let status = status.map_or_else(|| "no answer".to_owned(), |status| format!("HTTP status {status}"));
            frames.keep(Kind::Note, format!("Not opened: {status}."));
        }
    });
}

#[component]
fn SendCard(raw: Raw, state: RwSignal<State>, frames: Frames) -> impl IntoView {
    let field = NodeRef::<html::Textarea>::new();
    let (_, first) = EXAMPLES[0];
    let text = RwSignal::new(first.to_owned());
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let text = text.get_untracked();
        if state.get_untracked() == State::Open {
            raw.send(&text);
            frames.keep(Kind::Sent, text);
        } else {
            frames.keep(Kind::Note, "Connect first.".to_owned());
        }
    };
    let check = move || match text.with(|text| serde_json::from_str::<Value>(text)) {
        Ok(_) => "Valid JSON.".to_owned(),
        Err(error) => format!("Not JSON: {error}. It can be sent all the same."),
    };
    let examples = EXAMPLES
        .map(|(name, example)| {
            let fill = move |_| {
                text.set(example.to_owned());
                if let Some(field) = field.get_untracked() {
                    // A failure would leave the focus where it is, which is no harm.
                    let _ = field.focus();
                }
            };
            view! {
                <button type="button" class="button-quiet" on:click=fill>
                    {name}
                </button>
            }
        })
        .into_iter()
        .collect_view();
    view! {
        <section class="card" aria-labelledby="message">
            <h2 id="message">"Message"</h2>
            <form class="stacked-form" on:submit=send>
                <div class="examples" role="group" aria-label="Examples">
                    {examples}
                </div>
                <div class="field">
                    <label for="console-text">"Text of the frame"</label>
                    <textarea
                        id="console-text"
                        rows="4"
                        spellcheck="false"
                        aria-describedby="console-hint"
                        prop:value=move || text.get()
                        on:input:target=move |event| text.set(event.target().value())
                        node_ref=field
                    ></textarea>
                    <p id="console-hint" class="hint">
                        {check}
                    </p>
                </div>
                <button type="submit" class="button">
                    "Send"
                </button>
            </form>
        </section>
    }
    .into_any()
}

#[component]
fn FrameCard(frames: Frames) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="frames">
            <div class="card-head">
                <h2 id="frames">"Frames"</h2>
                <button type="button" class="button-quiet" on:click=move |_| frames.kept.set(Vec::new())>
                    "Clear"
                </button>
            </div>
            <Show when=move || frames.kept.with(Vec::is_empty)>
                <p class="empty">"Nothing sent or received yet."</p>
            </Show>
            <ol class="frames" role="list" aria-labelledby="frames">
                <For each=move || frames.kept.get() key=|frame| frame.key let:frame>
                    <FrameRow frame />
                </For>
            </ol>
        </section>
    }
    .into_any()
}

#[component]
fn FrameRow(frame: Frame) -> impl IntoView {
    let Frame { kind, text, at, .. } = frame;
    view! {
        <li class="frame" data-kind=kind.word()>
            <p class="message-origin">{kind.label()} ", " {at}</p>
            <pre>{text}</pre>
        </li>
    }
    .into_any()
}
