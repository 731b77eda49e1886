//! The chat: messages, typing and presence over a WebSocket endpoint, notices for everybody as broadcasts.

mod notice;
mod status;
mod talk;

use std::rc::Rc;

use leptos::{prelude::*, task::spawn_local};

use crate::{
    cluster::{Endpoint, EndpointStatus, use_endpoint, use_presence},
    components::{
        badge::EndpointBadge,
        page::PageHeader,
        presence::{PresenceCard, display_name_for},
        say_form::SayForm,
        scripts::NeedsScripts,
        time::RelativeTime,
        toast::{Level, use_toasts},
    },
    websocket,
};

use notice::NoticeBoard;
use status::StatusCard;
use talk::{Line, ROOMS, Talk};

/// Rooms, messages, who types, who is there, and notices.
#[component]
pub fn ChatPage() -> impl IntoView {
    let talk = Talk::new();
    let endpoint = use_endpoint(websocket::path_of(websocket::CHAT), move |frame| talk.hear(frame));
    let present = use_presence(endpoint);
    Effect::new(move |before: Option<&'static str>| {
        let room = talk.room.get();
        // Rooms belong to the socket: a new one is in none.
        if endpoint.status().get() == EndpointStatus::Connected {
            talk::enter(endpoint, before.filter(|before| *before != room), room);
        }
        room
    });
    let me = Signal::derive(move || {
        let own_id = endpoint.own_id().get();
        present.with(|present| present.iter().find(|one| one.id == own_id).cloned()).unwrap_or_default()
    });
    view! {
        <PageHeader title="Chat" lead="Rooms to talk in, on any instance. Nothing is kept: you see what is said while you are here." />
        <NoticeBoard me />
        <section class="card" aria-labelledby="talk">
            <div class="card-head">
                <h2 id="talk">"Conversation"</h2>
                <EndpointBadge status=endpoint.status() />
            </div>
            <NeedsScripts />
            <RoomChoice talk />
            <Conversation talk endpoint />
        </section>
        <PresenceCard present own_id=endpoint.own_id() />
        <StatusCard present me />
        <section class="explain" aria-labelledby="how">
            <h2 id="how">"How it works"</h2>
            <dl class="facts">
                <div>
                    <dt>"Messages, typing, who is here"</dt>
                    <dd>
                        "Over the WebSocket endpoint " <code>"hello-chat"</code>
                        ": many, both ways, true only now. The server says who speaks; no browser can claim to be another."
                    </dd>
                </div>
                <div>
                    <dt>"Notices"</dt>
                    <dd>
                        "As broadcasts on " <code>"view:helloChat:notice:posted"</code>
                        ": few, for every room, and who was away for a moment gets them when the connection is back."
                    </dd>
                </div>
                <div>
                    <dt>"Statuses"</dt>
                    <dd>
                        "Saved in the store with "
                        <code>"PUT /api/1/user/status"</code>
                        ", then broadcast on "
                        <code>"view:chat:user:status"</code>
                        ": they outlive the connection, so they are no messages of the endpoint."
                    </dd>
                </div>
            </dl>
        </section>
    }
    .into_any()
}

#[component]
fn RoomChoice(talk: Talk) -> impl IntoView {
    let choices = ROOMS
        .into_iter()
        .map(|(id, name)| {
            let is_first = id == talk.room.get_untracked();
            view! {
                <label class="choice">
                    <input
                        type="radio"
                        name="room"
                        value=id
                        checked=is_first
                        prop:checked=move || talk.room.get() == id
                        on:change=move |_| talk.room.set(id)
                    />
                    {name}
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="choices">
            <legend>"Room"</legend>
            {choices}
        </fieldset>
    }
    .into_any()
}

#[component]
fn Conversation(talk: Talk, endpoint: Endpoint) -> impl IntoView {
    let toasts = use_toasts();
    let tell_typing = endpoint.throttled(talk::TYPING_EVERY);
    let typing: Rc<dyn Fn()> = Rc::new(move || tell_typing(talk::typing(talk.room.get_untracked())));
    let say = Callback::new(move |(line, take_back): (String, Callback<String>)| {
        let message = talk::line(talk.room.get_untracked(), &line);
        spawn_local(async move {
            if let Err(error) = endpoint.ask(&message).await {
                take_back.run(line);
                toasts.show(Level::Error, format!("Not sent: {error}."));
            }
        });
    });
    let lines = move || {
        talk.lines.with(|lines| lines.iter().filter(|line| line.room == talk.room.get()).cloned().collect::<Vec<_>>())
    };
    let types = move || talk.typing.with(|typing| talk::who_types(typing, talk.room.get()));
    view! {
        <Show when=move || lines().is_empty()>
            <p class="empty">"Nothing said here since you came. Say hello."</p>
        </Show>
        <div class="conversation" role="log" aria-label="Messages of the room" tabindex="0">
            <ol class="messages" role="list">
                <For each=lines key=|line| line.key let:line>
                    <Message line endpoint />
                </For>
            </ol>
        </div>
        <p class="hint typing">{types}</p>
        <SayForm id="chat-line" label="Message" button="Send" say typing />
    }
    .into_any()
}

#[component]
fn Message(line: Line, endpoint: Endpoint) -> impl IntoView {
    let Line { from, text, at, .. } = line;
    let own_id = endpoint.own_id();
    let is_own = {
        let id = from.id.clone();
        move || own_id.get() == id
    };
    view! {
        <li class="message" class:message-own=is_own>
            <p class="message-text">{text}</p>
            <p class="message-origin">{move || display_name_for(&from, &own_id.get())} ", " <RelativeTime at /></p>
        </li>
    }
    .into_any()
}
