//! What happened lately.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{
    components::time::RelativeTime,
    websocket::{Activity, Happening, StatsUpdate},
};

/// The latest comings and goings on all endpoints and instances.
#[component]
pub(super) fn ActivityLog(
    /// Live.
    stats: Signal<StatsUpdate>,
) -> impl IntoView {
    let activity = Memo::new(move |_| stats.with(|stats| numbered(&stats.activity)));
    view! {
        <section class="card" aria-labelledby="activity">
            <h2 id="activity">"Activity"</h2>
            <Show when=move || activity.with(Vec::is_empty)>
                <p class="empty">"Nobody has come or gone yet."</p>
            </Show>
            <ol class="messages" role="list" aria-labelledby="activity">
                <For each=move || activity.get() key=|(key, _)| key.clone() let:entry>
                    <Entry activity=entry.1 />
                </For>
            </ol>
        </section>
    }
    .into_any()
}

/// When and where something happened, and how many had happened there at the same time.
type Key = (u64, Arc<str>, Arc<str>, usize);

/// Two things may happen at the same place in the same millisecond: each gets a key of its own.
fn numbered(activity: &[Activity]) -> Vec<(Key, Activity)> {
    let mut entries: Vec<(Key, Activity)> = Vec::with_capacity(activity.len());
    for one in activity {
        let place = (one.at, Arc::clone(&one.endpoint), Arc::clone(&one.instance));
        let same = entries
            .iter()
            .filter(|((at, endpoint, instance, _), _)| (*at, endpoint, instance) == (place.0, &place.1, &place.2));
        let number = same.count();
        entries.push(((place.0, place.1, place.2, number), one.clone()));
    }
    entries
}

#[component]
fn Entry(activity: Activity) -> impl IntoView {
    let Activity { endpoint, instance, timestamp, what, username, .. } = activity;
    let who = if username.is_empty() { "A guest".to_owned() } else { username };
    let what = match what {
        Happening::Connected => "came to",
        Happening::Disconnected => "left",
        Happening::Refused => "was refused something on",
    };
    view! {
        <li class="message">
            <p class="message-text">{who} " " {what} " " <strong>{endpoint.to_string()}</strong></p>
            <p class="message-origin">"Instance " {instance.to_string()} ", " <RelativeTime at=timestamp /></p>
        </li>
    }
    .into_any()
}
