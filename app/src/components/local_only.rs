//! A hint for an instance that stands alone.

use leptos::prelude::*;

use crate::{cluster::use_cluster_mode, components::mounted::use_mounted};

/// Where the tab remembers that the hint was put away, and the attribute of `<html>` that hides it.
const MEMORY: &str = "data-local-hint";

/// Hides the hint before it is drawn when the tab remembers it: for the head of the document, so that
/// nothing jumps from page to page.
pub const REMEMBER: &str =
    "try{const m='data-local-hint',v=sessionStorage.getItem(m);if(v)document.documentElement.setAttribute(m,v)}catch{}";

/// Says that changes stay on this instance while it has no Redis. Nothing is wrong then, so it is calm
/// and can be put away for as long as the tab lives; it goes by itself when the instance joins a cluster.
#[component]
pub fn LocalOnlyHint() -> impl IntoView {
    let is_cluster = use_cluster_mode();
    let is_mounted = use_mounted();
    let put_away = move |_| {
        // Without storage it is put away for this page only; without the attribute, not at all.
        if let Ok(Some(storage)) = window().session_storage() {
            let _ = storage.set_item(MEMORY, "away");
        }
        if let Some(html) = document().document_element() {
            let _ = html.set_attribute(MEMORY, "away");
        }
    };
    view! {
        <Show when=move || !is_cluster.get()>
            <aside class="notice notice-info local-only" aria-label="Local mode">
                <p>"Local mode: changes reach the browsers on this instance."</p>
                <button type="button" class="button-quiet" hidden=move || !is_mounted.get() on:click=put_away>
                    "Dismiss"
                </button>
            </aside>
        </Show>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::{MEMORY, REMEMBER};

    #[test]
    fn the_script_and_the_button_mean_the_same_memory() {
        assert!(REMEMBER.contains(&format!("'{MEMORY}'")));
    }
}
