//! Shopping carts as stores keep them.

use app::{
    cart::{Cart, CartChange, CartItem},
    ports::Tell,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A cart as kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CartRecord {
    /// Where its news are told; random.
    pub(super) news: String,
    pub(super) version: u64,
    pub(super) items: Vec<CartItem>,
    /// Names of the latest requests to add.
    #[serde(default)]
    pub(super) requests: Vec<String>,
}

impl CartRecord {
    /// An empty one with an id of its own.
    pub(super) fn new() -> Self {
        Self { news: Uuid::new_v4().simple().to_string(), version: 0, items: Vec::new(), requests: Vec::new() }
    }

    /// Makes a change; whether it changed anything.
    pub(super) fn change(&mut self, change: &CartChange) -> bool {
        let mut cart = Cart::from(self.clone());
        let is_changed = cart.change(change, &mut self.requests);
        (self.version, self.items) = (cart.version, cart.items);
        is_changed
    }
}

impl From<CartRecord> for Cart {
    fn from(record: CartRecord) -> Self {
        Self { id: record.news, version: record.version, items: record.items }
    }
}

/// A cart after something was to be done to it.
pub(super) struct Changed {
    pub(super) cart: Cart,
    pub(super) is_changed: bool,
}

impl Changed {
    /// Tells of what did change.
    pub(super) fn tell(tell: Tell<Cart>) -> Tell<Self> {
        Box::new(move |changed| changed.is_changed.then(|| tell(&changed.cart))?)
    }
}
