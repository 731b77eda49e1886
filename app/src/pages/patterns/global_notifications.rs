//! The pattern of global notifications: the server checks, then tells every browser.

mod functions;
mod notices;

use leptos::prelude::*;

use crate::{
    components::{
        nav::PageLink,
        page::PageHeader,
        source::{Sources, source},
    },
    pages::address,
};
use notices::Notices;

pub use functions::{SendNotice, send_notice};

/// Sends to all who have this page open.
#[component]
pub fn GlobalNotificationsPage() -> impl IntoView {
    view! {
        <PageHeader
            title="Global notifications"
            lead="A line for everybody: checked on one instance, shown in every browser that has this page open."
        />
        <Notices />
        <section class="explain" aria-labelledby="how">
            <h2 id="how">"How it works"</h2>
            <p>
                "The form calls a server function. It checks the line and publishes it on "
                <code>"view:system:notice:sent"</code>
                "; every page that listens there shows a toast. Who was away for a moment gets it when the connection is back."
            </p>
            <p>
                "What administrators send from "
                <PageLink href=address::ADMIN_NOTIFICATIONS>"their page"</PageLink>
                " goes the same way, to every page of the site. It is kept as well, and a critical one waits in a dialogue until it is read."
            </p>
        </section>
        <Sources files=vec![
            source!("app/src/pages/patterns/global_notifications/notices.rs"),
            source!("app/src/pages/patterns/global_notifications/functions.rs"),
            source!("app/src/components/system_notices.rs"),
        ] />
    }
    .into_any()
}
