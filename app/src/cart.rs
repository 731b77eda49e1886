//! Shopping carts: what is sold, what a cart may hold, how a change is made to it, and the news of it.
//!
//! Server and browser change a cart with the same function, so that what a browser shows ahead of the
//! server's word is what the server is going to say.

use serde::{Deserialize, Serialize};
use wire::{Channel, Position};

/// Requests to add that a cart remembers, so that one sent twice counts once.
const REQUESTS: usize = 16;
/// Characters of the name of such a request at most.
const REQUEST_CHARS: usize = 64;

/// Something to buy.
#[derive(Debug, PartialEq, Eq)]
pub struct Product {
    /// Names it for programs.
    pub id: &'static str,
    /// Names it for people.
    pub name: &'static str,
    /// The price of one, in cents.
    pub cents: u32,
}

/// All there is.
pub const CATALOGUE: [Product; 6] = [
    Product { id: "tea", name: "Green tea", cents: 480 },
    Product { id: "coffee", name: "Coffee", cents: 690 },
    Product { id: "honey", name: "Honey", cents: 550 },
    Product { id: "bread", name: "Rye bread", cents: 395 },
    Product { id: "apples", name: "Apples", cents: 310 },
    Product { id: "cup", name: "Stoneware cup", cents: 1_450 },
];

impl Product {
    /// The product of this id.
    pub fn find(id: &str) -> Option<&'static Self> {
        CATALOGUE.iter().find(|product| product.id == id)
    }
}

/// How many of one product: 0 to [`Quantity::MOST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(u8);

impl Quantity {
    /// Of one product in a cart at most.
    pub const MOST: u8 = 99;
    /// None.
    pub const NONE: Self = Self(0);
    /// One.
    pub const ONE: Self = Self(1);

    /// A number as it was asked for; `None` when it is too large.
    pub fn parse(number: u64) -> Option<Self> {
        u8::try_from(number).ok().filter(|number| *number <= Self::MOST).map(Self)
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}

/// A user's cart, for this user's eyes alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cart {
    /// Names it where changes are announced. Random: it tells nothing of whose cart it is.
    pub id: String,
    /// One more with each change.
    pub version: u64,
    /// What is in it, in the order it came in; at least one of each.
    pub items: Vec<CartItem>,
}

/// So many of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CartItem {
    /// As in [`CATALOGUE`].
    pub product_id: String,
    /// 1 to [`Quantity::MOST`].
    pub quantity: u8,
}

/// What is to be done to a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CartChange {
    /// So many more; what goes beyond [`Quantity::MOST`] is left out.
    Add {
        /// Of what.
        product: &'static Product,
        /// How many.
        quantity: Quantity,
        /// Names the request, for whom it matters that it counts once.
        request: Option<Request>,
    },
    /// So many from now on; none takes the product out.
    Set {
        /// Of what.
        product: &'static Product,
        /// How many.
        quantity: Quantity,
    },
}

/// The name a program gave to a request to add: 1 to 64 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request(String);

impl Request {
    /// The name as it was sent; `None` when it is none.
    pub fn parse(name: &str) -> Option<Self> {
        let is_name = (1..=REQUEST_CHARS).contains(&name.chars().count());
        is_name.then(|| Self(name.to_owned()))
    }
}

impl Cart {
    /// Makes a change; whether it changed anything. `requests` are the names of those made before, to which
    /// this one's is added.
    pub fn change(&mut self, change: &CartChange, requests: &mut Vec<String>) -> bool {
        let before = self.items.clone();
        match change {
            CartChange::Add { product, quantity, request } => {
                if let Some(Request(name)) = request {
                    if requests.contains(name) {
                        return false;
                    }
                    requests.push(name.clone());
                    let surplus = requests.len().saturating_sub(REQUESTS);
                    requests.drain(..surplus);
                }
                let sum = self.quantity_of(product).saturating_add(quantity.get());
                self.set(product, sum.min(Quantity::MOST));
            }
            CartChange::Set { product, quantity } => self.set(product, quantity.get()),
        }
        let is_changed = self.items != before;
        self.version += u64::from(is_changed);
        is_changed
    }

    /// How many of a product are in it.
    pub fn quantity_of(&self, product: &Product) -> u8 {
        self.items.iter().find(|item| item.product_id == product.id).map_or(0, |item| item.quantity)
    }

    /// What is in it, as far as it is still sold.
    pub fn lines(&self) -> impl Iterator<Item = (&'static Product, u8)> {
        self.items.iter().filter_map(|item| Some((Product::find(&item.product_id)?, item.quantity)))
    }

    /// All pieces together.
    pub fn item_count(&self) -> u32 {
        self.lines().map(|(_, quantity)| u32::from(quantity)).sum()
    }

    /// What they cost together, in cents.
    pub fn total_cents(&self) -> u32 {
        self.lines().map(|(product, quantity)| product.cents * u32::from(quantity)).sum()
    }

    fn set(&mut self, product: &Product, quantity: u8) {
        match self.items.iter().position(|item| item.product_id == product.id) {
            Some(place) if quantity == 0 => drop(self.items.remove(place)),
            Some(place) => self.items[place].quantity = quantity,
            None if quantity == 0 => {}
            None => self.items.push(CartItem { product_id: product.id.to_owned(), quantity }),
        }
    }
}

/// A cart as an instance has it, and where its news stood before it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartStanding {
    /// The cart.
    pub cart: Cart,
    /// What follows there may be newer; `None` when nobody knows.
    pub position: Option<Position>,
}

/// News of a cart, as anybody may hear it: that it changed, not how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartNews {
    /// Of the cart after the change.
    pub version: u64,
}

/// Where news of the cart of this id are announced: each has a channel of its own, for its owner's
/// browsers. `None` when it is no id of a cart.
pub fn news_channel(id: &str) -> Option<Channel> {
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then(|| Channel::parse(&format!("view:system:cart:updated:{id}")).ok())?
}

/// An amount as people write it.
pub fn euros(cents: u32) -> String {
    format!("{}.{:02} €", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(id: &str) -> &'static Product {
        Product::find(id).expect("it is in the catalogue")
    }

    fn add(id: &str, quantity: u64, request: Option<&str>) -> CartChange {
        let quantity = Quantity::parse(quantity).expect("a quantity");
        CartChange::Add { product: product(id), quantity, request: request.and_then(Request::parse) }
    }

    #[test]
    fn what_is_added_is_summed_up_to_the_bound_and_none_takes_it_out() {
        let (mut cart, mut requests) = (Cart::default(), Vec::new());
        assert!(cart.change(&add("tea", 98, None), &mut requests));
        assert!(cart.change(&add("cup", 1, None), &mut requests));
        assert!(cart.change(&add("tea", 5, None), &mut requests));
        assert_eq!((cart.quantity_of(product("tea")), cart.item_count(), cart.version), (99, 100, 3));
        assert_eq!(cart.total_cents(), 99 * 480 + 1_450);
        assert!(!cart.change(&add("tea", 1, None), &mut requests), "it is full");
        let none = CartChange::Set { product: product("tea"), quantity: Quantity(0) };
        assert!(cart.change(&none, &mut requests) && !cart.change(&none, &mut requests));
        assert_eq!((cart.items.len(), cart.version), (1, 4));
    }

    #[test]
    fn a_request_that_is_sent_twice_counts_once() {
        let (mut cart, mut requests) = (Cart::default(), Vec::new());
        for number in 0..20 {
            let change = add("tea", 1, Some(&format!("request {number}")));
            assert!(cart.change(&change, &mut requests));
            assert!(!cart.change(&change, &mut requests), "{number}");
        }
        assert_eq!((cart.item_count(), requests.len()), (20, REQUESTS));
    }

    #[test]
    fn a_quantity_has_its_bound() {
        assert_eq!(Quantity::parse(99).map(Quantity::get), Some(99));
        assert_eq!((Quantity::parse(100), Quantity::parse(u64::MAX)), (None, None));
    }

    #[test]
    fn every_cart_has_a_channel_and_nothing_else_has() {
        let channel = news_channel("0af3").expect("an id");
        assert_eq!(channel.as_str(), "view:system:cart:updated:0af3");
        for id in ["", "*", "a:b", "a b", "ä"] {
            assert_eq!(news_channel(id), None, "{id}");
        }
    }

    #[test]
    fn cents_are_told_as_euros() {
        assert_eq!((euros(5), euros(1_450)), ("0.05 €".to_owned(), "14.50 €".to_owned()));
    }
}
