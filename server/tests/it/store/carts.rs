//! What stores promise of shopping carts.

use app::{
    cart::{Cart, CartChange, Product, Quantity, Request},
    ports::{Announcement, Publisher, StoreError, Tell},
};
use serde_json::json;
use server::store::Store;
use wire::Channel;

use super::at_once;

const MONA: &str = "0123456789abcdef01234567";
const OTTO: &str = "0123456789abcdef01234568";

/// One more of a product.
fn add(id: &str, request: Option<&str>) -> CartChange {
    let product = Product::find(id).unwrap();
    CartChange::Add { product, quantity: Quantity::ONE, request: request.and_then(Request::parse) }
}

fn set(id: &str, quantity: u64) -> CartChange {
    CartChange::Set { product: Product::find(id).unwrap(), quantity: Quantity::parse(quantity).unwrap() }
}

fn news() -> Tell<Cart> {
    Box::new(|cart| {
        let channel = Channel::parse("view:system:cart:updated:it").unwrap();
        let payload = json!({ "version": cart.version }).as_object().cloned().unwrap();
        Some(Announcement { channel, payload, publisher: Publisher::default() })
    })
}

async fn told(store: &Store) -> Vec<u64> {
    let waiting = store.outbox().first(1_000).await.unwrap().untold;
    waiting.iter().map(|untold| untold.announcement.payload["version"].as_u64().unwrap()).collect()
}

pub(super) async fn each_user_has_one_cart_that_keeps_its_id(store: Store) {
    let carts = store.carts();
    let first = carts.read(MONA).await.unwrap();
    assert_eq!((first.version, first.items.len(), first.id.len()), (0, 0, 32));
    assert_eq!(carts.read(MONA).await.unwrap(), first);
    assert_ne!(carts.read(OTTO).await.unwrap().id, first.id);
    let changed = carts.change(MONA, add("tea", None), news()).await.unwrap();
    assert_eq!((changed.id.as_str(), changed.version, changed.item_count()), (first.id.as_str(), 1, 1));
    assert_eq!(carts.read(MONA).await.unwrap(), changed);
    assert_eq!(carts.read(OTTO).await.unwrap().items, []);
}

pub(super) async fn a_cart_is_made_once_by_however_many_ask(store: Store) {
    let ids = at_once(20, |_| {
        let carts = store.carts();
        async move { carts.read(MONA).await.unwrap().id }
    })
    .await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

pub(super) async fn changes_of_a_cart_at_once_lose_none_and_are_told_in_order(store: Store) {
    let versions = at_once(20, |_| {
        let carts = store.carts();
        async move { carts.change(MONA, add("tea", None), news()).await.unwrap().version }
    })
    .await;
    let cart = store.carts().read(MONA).await.unwrap();
    assert_eq!((cart.item_count(), cart.version, versions.iter().max()), (20, 20, Some(&20)));
    assert_eq!(told(&store).await, (1..=20).collect::<Vec<_>>());
}

pub(super) async fn what_leaves_a_cart_as_it_is_is_not_told(store: Store) {
    let carts = store.carts();
    let change = async |change| carts.change(MONA, change, news()).await.unwrap();
    let first = change(add("tea", Some("one"))).await;
    assert_eq!(change(add("tea", Some("one"))).await, first);
    assert_eq!(change(set("tea", 1)).await, first);
    assert_eq!(change(set("cup", 0)).await, first);
    let emptied = change(set("tea", 0)).await;
    assert_eq!((emptied.version, emptied.items.len()), (2, 0));
    assert_eq!(told(&store).await, [1, 2]);
}

pub(super) async fn a_cart_belongs_to_an_id_that_a_user_could_have(store: Store) {
    let carts = store.carts();
    assert!(matches!(carts.read("mona").await, Err(StoreError::InvalidId)));
    assert!(matches!(carts.change("", add("tea", None), news()).await, Err(StoreError::InvalidId)));
}
