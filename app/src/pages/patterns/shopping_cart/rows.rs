//! What can be bought, and what is in the cart. Plain forms until the page is alive.

use leptos::{ev::SubmitEvent, prelude::*, server_fn::ServerFn};

use super::{
    functions::{AddToCart, SetInCart},
    live::LiveCart,
};
use crate::{
    cart::{CATALOGUE, Cart, CartChange, Product, Quantity, euros},
    components::{
        mounted::use_mounted,
        toast::{Level, use_toasts},
    },
    error::Problem,
};

/// Every product, with a button that adds one.
#[component]
pub(super) fn Shop(cart: LiveCart) -> impl IntoView {
    let products = CATALOGUE
        .iter()
        .map(|product| {
            let add = move |event: SubmitEvent| {
                event.prevent_default();
                cart.wish(CartChange::Add { product, quantity: Quantity::ONE, request: None });
            };
            view! {
                <li class="cart-row">
                    <p>
                        <strong>{product.name}</strong>
                        " "
                        {euros(product.cents)}
                    </p>
                    <form method="post" action=AddToCart::url() on:submit=add>
                        <input type="hidden" name="product" value=product.id />
                        <button
                            type="submit"
                            class="button button-secondary"
                            aria-label=format!("Add {}", product.name)
                        >
                            "Add"
                        </button>
                    </form>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="shop">
            <h2 id="shop">"Shop"</h2>
            <ul role="list" class="cart-rows" aria-labelledby="shop">{products}</ul>
        </section>
    }
    .into_any()
}

/// What is in the cart, and what it costs.
#[component]
pub(super) fn Rows(cart: LiveCart) -> impl IntoView {
    let shown = Memo::new(move |_| cart.shown());
    let products = move || shown.with(|cart| cart.lines().map(|(product, _)| product).collect::<Vec<_>>());
    let sum = move || {
        shown.with(|cart| match cart.item_count() {
            1 => format!("1 item, {}", euros(cart.total_cents())),
            count => format!("{count} items, {}", euros(cart.total_cents())),
        })
    };
    view! {
        <section class="card" aria-labelledby="cart">
            <h2 id="cart">"Your cart"</h2>
            <Show when=move || shown.with(|cart| cart.item_count() == 0)>
                <p class="empty">"Nothing in it yet."</p>
            </Show>
            <ul role="list" class="cart-rows" aria-labelledby="cart">
                <For each=products key=|product| product.id let:product>
                    <Row cart shown product />
                </For>
            </ul>
            <p class="cart-sum" role="status">
                {sum}
            </p>
        </section>
    }
    .into_any()
}

#[component]
fn Row(cart: LiveCart, shown: Memo<Cart>, product: &'static Product) -> impl IntoView {
    let is_mounted = use_mounted();
    let quantity = move || shown.with(|cart| cart.quantity_of(product)).to_string();
    let toasts = use_toasts();
    let set = move |field: web_sys::HtmlInputElement| match field.value().parse().ok().and_then(Quantity::parse) {
        Some(quantity) => cart.wish(CartChange::Set { product, quantity }),
        None => {
            toasts.show(Level::Error, Problem::CartItem);
            field.set_value(&untrack(quantity));
        }
    };
    view! {
        <li class="cart-row">
            <p>
                <strong>{product.name}</strong>
            </p>
            <form method="post" action=SetInCart::url() class="cart-quantity" on:submit=|event| event.prevent_default()>
                <input type="hidden" name="product" value=product.id />
                <input
                    type="number"
                    name="quantity"
                    min="0"
                    max=Quantity::MOST.to_string()
                    required
                    aria-label=format!("Quantity of {}", product.name)
                    value=quantity
                    prop:value=quantity
                    on:change:target=move |event| set(event.target())
                />
                <button
                    type="submit"
                    class="button-quiet"
                    hidden=is_mounted
                    aria-label=format!("Set the quantity of {}", product.name)
                >
                    "Set"
                </button>
            </form>
            <form
                method="post"
                action=SetInCart::url()
                on:submit=move |event| {
                    event.prevent_default();
                    cart.wish(CartChange::Set { product, quantity: Quantity::NONE });
                }
            >
                <input type="hidden" name="product" value=product.id />
                <input type="hidden" name="quantity" value="0" />
                <button type="submit" class="button-quiet" aria-label=format!("Remove {}", product.name)>
                    "Remove"
                </button>
            </form>
        </li>
    }
    .into_any()
}
