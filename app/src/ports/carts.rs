//! Shopping carts of users.

use async_trait::async_trait;

use super::{StoreError, Tell};
use crate::cart::{Cart, CartChange};

/// One cart for each user. A change and what `tell` says of it are saved together, both or neither, as those
/// of [`Todos`](super::Todos).
#[async_trait]
pub trait Carts: Send + Sync + 'static {
    /// The user's cart; the first time, an empty one is made, which has its id from then on.
    async fn read(&self, user_id: &str) -> Result<Cart, StoreError>;
    /// Changes it; the cart after it. What changes nothing is not told.
    async fn change(&self, user_id: &str, change: CartChange, tell: Tell<Cart>) -> Result<Cart, StoreError>;
}
