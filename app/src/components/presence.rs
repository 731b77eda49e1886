//! Who else is here.

use std::sync::Arc;

use leptos::prelude::*;
use wire::endpoint::Present;

/// People named on the page; more are counted.
const NAMED: usize = 30;

/// What others read of somebody: the name, or for a guest a few signs that tell guests apart.
pub fn display_name(present: &Present) -> String {
    if !present.username.is_empty() {
        return present.username.to_string();
    }
    let signs: String = present.id.chars().take(4).collect();
    if signs.is_empty() { "The server".to_owned() } else { format!("Guest {signs}") }
}

/// The same with the hint that it is the visitor.
pub fn display_name_for(present: &Present, own_id: &Arc<str>) -> String {
    let name = display_name(present);
    if present.id == *own_id { format!("{name} (you)") } else { name }
}

/// One of the four tones of the style sheet (`cursor-0` …), the same for one person everywhere.
pub fn tone(id: &str) -> u32 {
    id.bytes().map(u32::from).sum::<u32>() % 4
}

/// A card with the names of everybody on an endpoint.
#[component]
pub fn PresenceCard(
    /// Everybody, from [`use_presence`](crate::cluster::use_presence).
    present: Signal<Vec<Present>>,
    /// Who of them the visitor is.
    own_id: Signal<Arc<str>>,
) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="present">
            <h2 id="present">
                "Here now" " " <span class="count">{move || present.with(Vec::len)}</span>
            </h2>
            <People people=present own_id label="Here now" empty="Nobody yet. Your browser is on its way." />
        </section>
    }
    .into_any()
}

/// Names beside each other.
#[component]
pub fn People(
    /// Whose.
    people: Signal<Vec<Present>>,
    /// Who of them the visitor is.
    own_id: Signal<Arc<str>>,
    /// What the list is of.
    #[prop(into)]
    label: String,
    /// Stands there while it is empty.
    empty: &'static str,
) -> impl IntoView {
    let shown = move || people.with(|people| people.iter().take(NAMED).cloned().collect::<Vec<_>>());
    let others = move || people.with(|people| people.len().saturating_sub(NAMED));
    view! {
        <Show when=move || people.with(Vec::is_empty)>
            <p class="hint">{empty}</p>
        </Show>
        <ul class="people" role="list" aria-label=label>
            <For each=shown key=|present| (Arc::clone(&present.id), Arc::clone(&present.username)) let:present>
                <li class="person">{move || display_name_for(&present, &own_id.get())}</li>
            </For>
            <Show when=move || others() != 0>
                <li class="person">{move || format!("and {} more", others())}</li>
            </Show>
        </ul>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use wire::endpoint::Present;

    use super::{display_name, display_name_for};

    #[test]
    fn guests_are_told_apart_and_nobody_is_nameless() {
        let somebody = |id: &str, username: &str| Present { id: id.into(), username: username.into() };
        assert_eq!(display_name(&somebody("a1b2c3d4", "mona")), "mona");
        assert_eq!(display_name(&somebody("a1b2c3d4", "")), "Guest a1b2");
        assert_eq!(display_name(&somebody("", "")), "The server");
        assert_eq!(display_name_for(&somebody("a1b2c3d4", ""), &"a1b2c3d4".into()), "Guest a1b2 (you)");
    }
}
