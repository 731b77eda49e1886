//! The pattern of cached configuration: read from memory, changed everywhere.

mod functions;
mod motto;

use leptos::prelude::*;

use crate::{
    components::{
        nav::PageLink,
        page::PageHeader,
        source::{Sources, source},
    },
    pages::address,
};
use motto::MottoCard;

pub use functions::{ReadMotto, SaveMotto, read_motto, save_motto};

/// One value, where it is read from, and when it was everywhere.
#[component]
pub fn ConfigurationCachePage() -> impl IntoView {
    view! {
        <PageHeader
            title="Configuration cache"
            lead="A value that is read all the time and changed now and then: memory answers, and a change is on every instance at once."
        />
        <MottoCard />
        <section class="explain" aria-labelledby="how">
            <h2 id="how">"How it works"</h2>
            <p>
                "A read takes the first of three levels that has the value: the memory of the instance, Redis, the store. A change goes the other way round, and every instance is told that its memory is out of date; the next read there comes from Redis."
            </p>
            <p>
                "Read the value twice to see the second read answered by memory. The times are those of the instance that took the change, from before it was saved until the others’ answers were there."
            </p>
            <p>
                "The same cache holds the site’s "
                <PageLink href=address::ADMIN_SITE>"title and banner"</PageLink> " and its "
                <PageLink href=address::FEATURES>"features"</PageLink> "."
            </p>
        </section>
        <Sources files=vec![
            source!("app/src/pages/patterns/configuration_cache/motto.rs"),
            source!("app/src/pages/patterns/configuration_cache/functions.rs"),
            source!("app/src/motto.rs"),
            source!("server/src/motto.rs"),
        ] />
    }
    .into_any()
}
