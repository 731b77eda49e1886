//! An address without a page.

use leptos::prelude::*;

use crate::{
    components::{nav::PageLink, page::PageHeader},
    error::{Problem, set_status},
    pages::address,
};

/// Says that there is nothing here, with the status that says the same.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    set_status(Problem::PageNotFound);
    view! {
        <PageHeader title="Page not found" lead="There is no page at this address. It may have moved, or never been." />
        <p class="actions">
            <PageLink href=address::HOME class="button">
                "To the front page"
            </PageLink>
            <PageLink href=address::OVERVIEW class="button button-secondary">
                "To the demo"
            </PageLink>
        </p>
    }
    .into_any()
}
