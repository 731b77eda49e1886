//! The field: one's own cursor by mouse, finger or keys, those of others, reactions in flight.

use std::{sync::Arc, time::Duration};

use leptos::{
    ev::{KeyboardEvent, PointerEvent},
    html,
    prelude::*,
};
use serde_json::json;
use wire::endpoint::Present;

use super::{
    gesture::{Gesture, Place, Reaction},
    scene::Scene,
};
use crate::{
    cluster::Endpoint,
    components::{
        mounted::use_mounted,
        presence::{display_name, tone},
    },
};

/// The shortest time between two moves that are told.
const MOVE_EVERY: Duration = Duration::from_millis(50);
/// How far a key moves the cursor.
const STEP: f64 = 0.04;

/// What can be seen and done.
#[component]
pub(super) fn Field(
    /// Where moves and reactions go.
    endpoint: Endpoint,
    /// What is on the field.
    scene: Scene,
    /// Who is there.
    present: Signal<Vec<Present>>,
) -> impl IntoView {
    let field = NodeRef::<html::Div>::new();
    let own = RwSignal::new(Place::MIDDLE);
    // The page's policy forbids styles in what the server renders.
    let is_mounted = use_mounted();
    let tell_move = endpoint.throttled(MOVE_EVERY);
    let go = move |place: Place| {
        let place = place.checked();
        own.set(place);
        tell_move(message(Gesture::Move(place)));
    };
    let on_pointer = {
        let go = go.clone();
        move |event: PointerEvent| {
            let Some(field) = field.get_untracked() else { return };
            let share = |offset: i32, whole: i32| f64::from(offset) / f64::from(whole.max(1));
            go(Place {
                x: share(event.offset_x(), field.client_width()),
                y: share(event.offset_y(), field.client_height()),
            });
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let Place { x, y } = own.get_untracked();
        let place = match event.key().as_str() {
            "ArrowLeft" => Place { x: x - STEP, y },
            "ArrowRight" => Place { x: x + STEP, y },
            "ArrowUp" => Place { x, y: y - STEP },
            "ArrowDown" => Place { x, y: y + STEP },
            _ => return,
        };
        // The keys would scroll the page.
        event.prevent_default();
        go(place);
    };
    Effect::new(move || present.with(|present| scene.keep_only(present)));
    let react = move |reaction: Reaction| {
        let place = own.get_untracked();
        let own_id = endpoint.own_id().get_untracked();
        let me = present.with_untracked(|present| present.iter().find(|person| person.id == own_id).map(display_name));
        scene.fly(me.unwrap_or_else(|| "You".to_owned()), reaction, place);
        endpoint.send(&message(Gesture::React { reaction, place }));
    };
    view! {
        <div
            class="field-emoji"
            role="application"
            aria-label="Field: move your cursor with the mouse, a finger or the arrow keys"
            tabindex="0"
            node_ref=field
            on:pointermove=on_pointer.clone()
            on:pointerdown=on_pointer
            on:keydown=on_key
        >
            <Show when=move || is_mounted.get()>
                <span
                    class="cursor cursor-own"
                    style:left=move || own.get().left()
                    style:top=move || own.get().top()
                    aria-hidden="true"
                >
                    <CursorSign />
                </span>
            </Show>
            <For
                each=move || scene.cursors.with(|cursors| cursors.values().cloned().collect::<Vec<_>>())
                key=|cursor| Arc::clone(&cursor.who.id)
                let:cursor
            >
                <Other who=cursor.who place=cursor.place />
            </For>
            <For each=move || scene.flying.get() key=|flight| flight.key let:flight>
                <span
                    class="flight"
                    style:left=flight.place.left()
                    style:top=flight.place.top()
                    aria-hidden="true"
                >
                    {flight.reaction.sign()}
                </span>
            </For>
        </div>
        <div class="reactions" role="group" aria-label="Reactions">
            {Reaction::ALL
                .into_iter()
                .map(|reaction| {
                    view! {
                        <button
                            type="button"
                            class="reaction"
                            aria-label=reaction.name()
                            on:click=move |_| react(reaction)
                        >
                            {reaction.sign()}
                        </button>
                    }
                })
                .collect_view()}
        </div>
        <p class="hint">"Reactions fly from where your cursor is."</p>
    }
    .into_any()
}

/// Somebody else's cursor with the name beside it; the hue tells people apart.
#[component]
fn Other(who: Present, place: ArcRwSignal<Place>) -> impl IntoView {
    let top = place.clone();
    view! {
        <span
            class=format!("cursor cursor-{}", tone(&who.id))
            style:left=move || place.get().left()
            style:top=move || top.get().top()
        >
            <CursorSign />
            <span class="cursor-name">{display_name(&who)}</span>
        </span>
    }
    .into_any()
}

#[component]
fn CursorSign() -> impl IntoView {
    view! {
        <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M1 1l5 13 2.2-5.3L13.5 6.5z" />
        </svg>
    }
}

fn message(gesture: Gesture) -> serde_json::Value {
    json!({ "type": "broadcast", "omitSelf": true, "data": gesture })
}
