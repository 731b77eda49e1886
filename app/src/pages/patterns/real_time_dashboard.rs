//! The pattern of a real-time dashboard: data that comes with the page and stays current.

mod numbers;

use leptos::prelude::*;

use crate::{
    components::{
        nav::PageLink,
        page::PageHeader,
        source::{Sources, source},
    },
    pages::address,
};
use numbers::Numbers;

/// Numbers of the whole site.
#[component]
pub fn RealTimeDashboardPage() -> impl IntoView {
    view! {
        <PageHeader
            title="Real-time dashboard"
            lead="Numbers of all instances, in the page from its first byte and current for as long as one looks."
        />
        <Numbers />
        <section class="explain" aria-labelledby="how">
            <h2 id="how">"How it works"</h2>
            <p>
                "The page is rendered with its numbers and with the position of "
                <code>"view:dashboard:activity:update"</code>
                " taken before they were read. The browser resumes there, so that nothing falls between the two, and applies what comes."
            </p>
            <p>
                "Every ten seconds one instance sums up what all of them counted and tells it once. What somebody does on the "
                <PageLink href=address::COLLABORATIVE_TODO>"to-do page"</PageLink>
                " is told at once. The "
                <PageLink href=address::DASHBOARD>"whole dashboard"</PageLink>
                " lists the latest fifty."
            </p>
        </section>
        <Sources files=vec![
            source!("app/src/pages/patterns/real_time_dashboard/numbers.rs"),
            source!("app/src/pages/dashboard/functions.rs"),
            source!("server/src/observatory.rs"),
        ] />
    }
    .into_any()
}
