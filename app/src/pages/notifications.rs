//! Notifications, pattern A: a browser tells all others, and nobody keeps it.

mod board;
mod functions;
mod message;

use leptos::prelude::*;

use crate::components::page::PageHeader;

pub use board::NotificationBoard;
pub use functions::{SendNotification, send_notification};
pub use message::Notification;

/// The notifications with their heading, for the multi-page and the single-page demo alike.
#[component]
pub fn NotificationsPage() -> impl IntoView {
    view! {
        <PageHeader
            title="Notifications"
            lead="Send a line to every browser that has this page open, on any instance. Nothing is stored."
        />
        <NotificationBoard />
        <section class="explain" aria-labelledby="how">
            <h2 id="how">"How it works"</h2>
            <p>
                "Your browser publishes on " <code>"view:helloNotification:message:sent"</code>
                " over the connection it has open anyway. Everybody who subscribed gets the message; you do not, because you subscribed with "
                <code>"omitSelf"</code> "."
            </p>
        </section>
    }
    .into_any()
}
