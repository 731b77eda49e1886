//! One room on the page.

use leptos::{prelude::*, task::spawn_local};
use wire::endpoint::Present;

use super::room::Room;
use crate::{
    cluster::{Endpoint, EndpointStatus},
    components::{
        presence::People,
        say_form::SayForm,
        time::RelativeTime,
        toast::{Level, use_toasts},
    },
};

/// A room to join and leave, with its members and what is said.
#[component]
pub(super) fn RoomCard(
    /// Which.
    room: Room,
    /// The connection.
    endpoint: Endpoint,
    /// Everybody on the endpoint.
    present: Signal<Vec<Present>>,
) -> impl IntoView {
    let toasts = use_toasts();
    let heading = format!("room-{}", room.id);
    let labelled_by = heading.clone();
    let is_joined = move || room.is_joined.get();
    let is_connected = move || endpoint.status().get() == EndpointStatus::Connected;
    // Somebody whose browser was closed says no goodbye, but is not present any more.
    let members = Signal::derive(move || {
        present.with(|present| {
            room.people.with(|people| present.iter().filter(|one| people.contains_key(&one.id)).cloned().collect())
        })
    });
    let count = move || match (is_joined(), room.count.get()) {
        (true, Some(1)) => "1 open tab".to_owned(),
        (true, Some(count)) => format!("{count} open tabs"),
        (true, None) => "Going in".to_owned(),
        (false, Some(0)) => "Empty when you left".to_owned(),
        (false, Some(count)) => format!("{count} left inside when you went"),
        (false, None) => "Come in to see who is there".to_owned(),
    };
    let change = move |_| {
        if !is_connected() {
            toasts.show(Level::Warning, "Not connected yet. Try again in a moment.");
        } else if room.is_joined.get_untracked() {
            room.leave(endpoint);
        } else {
            room.join(endpoint);
        }
    };
    let say = Callback::new(move |(line, take_back): (String, Callback<String>)| {
        spawn_local(async move {
            if let Err(error) = room.say(endpoint, line.clone()).await {
                take_back.run(line);
                toasts.show(Level::Error, format!("Not said: {error}."));
            }
        });
    });
    view! {
        <section class="card" aria-labelledby=labelled_by>
            <div class="card-head">
                <h2 id=heading>{room.name}</h2>
                <button
                    type="button"
                    class="button"
                    class:button-secondary=is_joined
                    aria-label=move || format!("{} the {}", if is_joined() { "Leave" } else { "Join" }, room.id)
                    on:click=change
                >
                    {move || if is_joined() { "Leave" } else { "Join" }}
                </button>
            </div>
            <p class="hint">{count}</p>
            <Show when=is_joined>
                <People
                    people=members
                    own_id=endpoint.own_id()
                    label=format!("In the {}", room.id)
                    empty="Looking around."
                />
                <SayForm id=format!("say-{}", room.id) label=format!("Say in the {}", room.id) button="Say" say />
            </Show>
            <ol class="messages" role="list" aria-label=format!("Said in the {}", room.id)>
                <For each=move || room.lines.get() key=|line| line.key let:line>
                    <li class="message">
                        <p class="message-text">{line.text}</p>
                        <p class="message-origin">{line.who} ", " <RelativeTime at=line.at /></p>
                    </li>
                </For>
            </ol>
        </section>
    }
    .into_any()
}
