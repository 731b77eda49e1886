//! The pattern of a shopping cart: one on all devices of a user, and nobody else's business.

mod functions;
mod live;
mod rows;

use leptos::prelude::*;

use crate::{
    components::{
        nav::PageLink,
        notice::FormOutcome,
        page::PageHeader,
        skeleton::Skeleton,
        source::{Sources, source},
    },
    pages::address,
};
use live::{LiveCart, Standing};
use rows::{Rows, Shop};

pub use functions::{AddToCart, ReadCart, SetInCart, add_to_cart, read_cart, set_in_cart};

/// A small shop and the visitor's cart.
#[component]
pub fn ShoppingCartPage() -> impl IntoView {
    let cart = LiveCart::new();
    view! {
        <PageHeader
            title="Shopping cart"
            lead="One cart on all devices of a user: what you add here is in your other tabs and on your phone at once."
        />
        <FormOutcome />
        <Transition fallback=|| view! { <Skeleton lines=6 /> }>
            {move || match cart.standing()? {
                Standing::Guest => Some(view! { <Guest /> }.into_any()),
                Standing::Failed(problem) => {
                    Some(view! { <p class="notice notice-error" role="alert">{problem.to_string()}</p> }.into_any())
                }
                Standing::Owner => Some(
                    view! {
                        <div class="columns">
                            <Shop cart />
                            <Rows cart />
                        </div>
                    }
                    .into_any(),
                ),
            }}
        </Transition>
        <section class="explain" aria-labelledby="how">
            <h2 id="how">"How it works"</h2>
            <p>
                "Your browser shows a change at once and asks the server for it. The server saves cart and news in one transaction and answers; your other browsers, on whichever instance, hear that there is a new version and read the cart again, with your session."
            </p>
            <h2>"Who hears what"</h2>
            <p>
                "A cart is nobody else’s business. Its news are told on a channel of its own, "
                <code>"view:system:cart:updated:"</code>
                " and a random number that only your browsers are given, and say no more than a version. Whoever listened to all channels would learn that some cart changed: not whose, and not what is in it."
            </p>
        </section>
        <Sources files=vec![
            source!("app/src/pages/patterns/shopping_cart/live.rs"),
            source!("app/src/pages/patterns/shopping_cart/rows.rs"),
            source!("app/src/pages/patterns/shopping_cart/functions.rs"),
            source!("app/src/carts.rs"),
            source!("app/src/cart.rs"),
            source!("server/src/http/cart.rs"),
            source!("server/src/store/embedded/carts.rs"),
        ] />
    }
    .into_any()
}

/// Says how to get a cart, and leads back here.
#[component]
fn Guest() -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="guest">
            <h2 id="guest">"Your cart"</h2>
            <p>"A cart belongs to a user. Sign in, here and on another device, and watch them keep in step."</p>
            <p class="actions">
                <PageLink href=format!("{}?next={}", address::LOGIN, address::SHOPPING_CART) class="button">
                    "Sign in to shop"
                </PageLink>
            </p>
        </section>
    }
    .into_any()
}
