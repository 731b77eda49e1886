//! A word to browsers that run no scripts.

use leptos::prelude::*;

/// Says that a part of the page stays as it is without scripts.
#[component]
pub fn NeedsScripts() -> impl IntoView {
    view! {
        <noscript>
            <p class="notice">"This part of the page is a live conversation and needs scripts, which are off."</p>
        </noscript>
    }
    .into_any()
}
