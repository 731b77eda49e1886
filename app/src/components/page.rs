//! How every page begins.

use leptos::prelude::*;
use leptos_meta::{Meta, Title};

/// Title, description and main heading of a page.
#[component]
pub fn PageHeader(
    /// The heading, also the title of the browser's tab.
    title: &'static str,
    /// One sentence: what the page is for. Also what search engines show.
    lead: &'static str,
) -> impl IntoView {
    view! {
        <Title text=title />
        <Meta name="description" content=lead />
        <header class="page-header">
            <h1>{title}</h1>
            <p class="lead">{lead}</p>
        </header>
    }
    .into_any()
}
