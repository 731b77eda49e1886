//! What sites like this one do, each as a page that does it and shows the files it is made of.

mod collaborative_editing;
mod configuration_cache;
mod global_notifications;
mod real_time_dashboard;
mod shopping_cart;

use leptos::prelude::*;

use crate::{
    components::{nav::LinkCard, page::PageHeader},
    pages::address,
};

pub use collaborative_editing::{
    CollaborativeEditingPage, ReadText, SaveText, SubmitEdit, TextSince, read_text, save_text, submit_edit, text_since,
};
pub use configuration_cache::{ConfigurationCachePage, ReadMotto, SaveMotto, read_motto, save_motto};
pub use global_notifications::{GlobalNotificationsPage, SendNotice, send_notice};
pub use real_time_dashboard::RealTimeDashboardPage;
pub use shopping_cart::{AddToCart, ReadCart, SetInCart, ShoppingCartPage, add_to_cart, read_cart, set_in_cart};

/// One card for each pattern.
#[component]
pub fn PatternsPage() -> impl IntoView {
    view! {
        <PageHeader
            title="Patterns"
            lead="Five things sites do with several instances. Each page does it live and shows the files it is made of."
        />
        <ul class="cards" role="list">
            <LinkCard
                href=address::COLLABORATIVE_EDITING
                title="Collaborative editing"
                text="One text, several people at once: edits that meet converge, and everybody’s cursor shows."
            />
            <LinkCard
                href=address::GLOBAL_NOTIFICATIONS
                title="Global notifications"
                text="Checked on one instance, shown as a toast in every browser on all of them."
            />
            <LinkCard
                href=address::REAL_TIME_DASHBOARD
                title="Real-time dashboard"
                text="Numbers that are there with the page and change as one looks, without anybody asking."
            />
            <LinkCard
                href=address::SHOPPING_CART
                title="Shopping cart"
                text="One cart on all devices of a user, at once, and nothing of it in anybody else’s browser."
            />
            <LinkCard
                href=address::CONFIGURATION_CACHE
                title="Configuration cache"
                text="Read from memory, shared through Redis, kept in the store: a change is everywhere within milliseconds."
            />
        </ul>
    }
    .into_any()
}
