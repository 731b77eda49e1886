//! One row an endpoint.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{
    components::time::RelativeTime,
    websocket::{EndpointStats, Light, Loss, StatsUpdate},
};

/// The numbers of every endpoint; a wide table that scrolls by itself on a phone.
#[component]
pub(super) fn EndpointTable(
    /// Live.
    stats: Signal<StatsUpdate>,
) -> impl IntoView {
    let names = Memo::new(move |_| stats.with(|stats| stats.endpoints.keys().cloned().collect::<Vec<_>>()));
    view! {
        <div class="table-frame" role="region" aria-label="Table of endpoints" tabindex="0">
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"Endpoint"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col" class="number">
                            "Users"
                        </th>
                        <th scope="col" class="number">
                            "Connections"
                        </th>
                        <th scope="col" class="number">
                            "Messages"
                        </th>
                        <th scope="col" class="number">
                            "A minute"
                        </th>
                        <th scope="col">"Dropped"</th>
                        <th scope="col">"Last used"</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || names.get() key=Arc::clone let:name>
                        <Row name stats />
                    </For>
                </tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Row(name: Arc<str>, stats: Signal<StatsUpdate>) -> impl IntoView {
    let entry = {
        let name = Arc::clone(&name);
        // A removed endpoint's row goes with the list of names; until then it stays as it was.
        Memo::new(move |before: Option<&Option<EndpointStats>>| {
            let now = stats.with(|stats| stats.endpoints.get(&name).cloned());
            now.or_else(|| before.cloned().flatten())
        })
    };
    let of = move |read: fn(&EndpointStats) -> String| entry.with(|entry| entry.as_ref().map(read).unwrap_or_default());
    let light = move || entry.with(|entry| entry.as_ref().map_or(Light::Red, |entry| entry.counts.status));
    let last = move || match entry.with(|entry| entry.as_ref()?.counts.last_activity.clone()) {
        Some(at) => view! { <RelativeTime at /> }.into_any(),
        None => "never".into_any(),
    };
    view! {
        <tr>
            <th scope="row">{name.to_string()}</th>
            <td>
                <span class="light" data-light=move || word(light())>
                    {move || label(light())}
                </span>
            </td>
            <td class="number">{move || of(|entry| entry.users.to_string())}</td>
            <td class="number">{move || of(|entry| entry.connections.to_string())}</td>
            <td class="number">{move || of(|entry| entry.counts.messages.to_string())}</td>
            <td class="number">{move || of(|entry| entry.counts.messages_per_minute.to_string())}</td>
            <td>{move || of(dropped)}</td>
            <td>{last}</td>
        </tr>
    }
    .into_any()
}

/// How many messages went nowhere, and why.
fn dropped(entry: &EndpointStats) -> String {
    let causes = entry.counts.dropped.iter().filter(|(_, count)| **count > 0);
    let causes: Vec<String> = causes.map(|(why, count)| format!("{count} {}", cause(*why))).collect();
    if causes.is_empty() { "0".to_owned() } else { causes.join(", ") }
}

const fn cause(why: Loss) -> &'static str {
    match why {
        Loss::TooLarge => "too large",
        Loss::TooFast => "too fast",
        Loss::Refused => "refused",
        Loss::NoReply => "not answered",
        Loss::Link => "not told to other instances",
    }
}

const fn word(light: Light) -> &'static str {
    match light {
        Light::Green => "green",
        Light::Yellow => "yellow",
        Light::Red => "red",
    }
}

/// Beside the colour, so that the light is no matter of colour alone.
const fn label(light: Light) -> &'static str {
    match light {
        Light::Green => "Green",
        Light::Yellow => "Yellow",
        Light::Red => "Red",
    }
}
