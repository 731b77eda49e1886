//! What the cart's page asks the server for. The changes work as targets of plain forms as well.

use leptos::{server, server_fn::codec::GetUrl};

use crate::{
    cart::{Cart, CartStanding},
    cluster::ClusterClient,
    error::Problem,
};

/// The cart of whoever is signed in, with the position of its news; `None` for a guest.
///
/// # Errors
///
/// When the store does not answer.
#[server(prefix = "/fn", endpoint = "cart", input = GetUrl, client = ClusterClient)]
pub async fn read_cart() -> Result<Option<CartStanding>, Problem> {
    use crate::{carts, error::set_status, pages::request};

    let Some(user) = request::visitor()?.user().await else { return Ok(None) };
    let standing = carts::standing(&request::ports()?, &user).await;
    standing.map(Some).map_err(|_| {
        set_status(Problem::Unavailable);
        Problem::Unavailable
    })
}

/// Adds one of a product.
///
/// # Errors
///
/// When nobody is signed in, there is no such product, or the store does not answer.
#[server(prefix = "/fn", endpoint = "cart-add", client = ClusterClient)]
pub async fn add_to_cart(
    /// Of the product.
    product: String,
) -> Result<Cart, Problem> {
    use crate::cart::{CartChange, Product, Quantity};

    let product = Product::find(&product).ok_or(Problem::CartItem);
    change(product.map(|product| CartChange::Add { product, quantity: Quantity::ONE, request: None })).await
}

/// Puts so many of a product into the cart; none takes it out.
///
/// # Errors
///
/// When nobody is signed in, there is no such product or it is too much, or the store does not answer.
#[server(prefix = "/fn", endpoint = "cart-set", client = ClusterClient)]
pub async fn set_in_cart(
    /// Of the product.
    product: String,
    /// How many.
    quantity: u64,
) -> Result<Cart, Problem> {
    use crate::cart::{CartChange, Product, Quantity};

    let asked = Product::find(&product).zip(Quantity::parse(quantity)).ok_or(Problem::CartItem);
    change(asked.map(|(product, quantity)| CartChange::Set { product, quantity })).await
}

#[cfg(feature = "ssr")]
async fn change(asked: Result<crate::cart::CartChange, Problem>) -> Result<Cart, Problem> {
    use crate::{
        carts,
        components::notice::Notice,
        pages::{address, request},
    };

    let changed = async {
        let user = request::visitor()?.user().await.ok_or(Problem::SignedOut)?;
        carts::change(&request::ports()?, &user, asked?).await.map_err(|_| Problem::Unavailable)
    };
    request::finish(changed.await, Notice::CartChanged, address::SHOPPING_CART)
}
