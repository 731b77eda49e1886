//! What can be done to a cart: one way for REST routes and server functions alike.
//!
//! A cart is its owner's business. What is broadcast is a random id and a version: the owner's browsers, who
//! know the id, read their cart again; to everybody else it says nothing.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    account::User,
    cart::{Cart, CartChange, CartNews, CartStanding, news_channel},
    ports::{Announcement, Ports, Publisher, StoreError, Tell},
};

/// The user's cart.
///
/// # Errors
///
/// When the store does not answer.
pub async fn read(ports: &Ports, user: &User) -> Result<Cart, StoreError> {
    ports.carts.read(&user.id).await
}

/// The user's cart with the position its channel had before it was read.
///
/// # Errors
///
/// When the store does not answer.
pub async fn standing(ports: &Ports, user: &User) -> Result<CartStanding, StoreError> {
    // The id stays for good: it leads to the channel.
    let Cart { id, .. } = read(ports, user).await?;
    let position = match news_channel(&id) {
        Some(channel) => ports.cluster.position(&channel).await,
        None => None,
    };
    Ok(CartStanding { cart: read(ports, user).await?, position })
}

/// Changes the user's cart and tells the user's browsers, on every instance; the cart after it.
///
/// # Errors
///
/// When the store does not answer.
pub async fn change(ports: &Ports, user: &User, change: CartChange) -> Result<Cart, StoreError> {
    let (carts, user_id) = (Arc::clone(&ports.carts), user.id.clone());
    // To the end, even when whoever asked has left.
    let changing = tokio::spawn(async move { carts.change(&user_id, change, tell()).await });
    changing.await.unwrap_or_else(|ended| Err(StoreError::Unavailable(Box::new(ended))))
}

/// What is said of a change. Neither the user's name nor the tab goes along: both are told elsewhere, and
/// would say whose cart it is.
fn tell() -> Tell<Cart> {
    Box::new(|cart| {
        let channel = news_channel(&cart.id)?;
        let Ok(Value::Object(payload)) = serde_json::to_value(CartNews { version: cart.version }) else { return None };
        Some(Announcement { channel, payload, publisher: Publisher::default() })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cart::CartItem;

    #[test]
    fn the_news_of_a_cart_say_nothing_of_its_owner_or_of_what_is_in_it() {
        let items = vec![CartItem { product_id: "tea".into(), quantity: 2 }];
        let told = tell()(&Cart { id: "0af3".into(), version: 7, items }).expect("news");
        assert_eq!((told.channel.as_str(), told.publisher), ("view:system:cart:updated:0af3", Publisher::default()));
        assert_eq!(Value::Object(told.payload), json!({ "version": 7 }));
    }
}
