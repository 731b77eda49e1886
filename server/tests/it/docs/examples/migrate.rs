//! `docs/MIGRATE_SINGLE_INSTANCE.md`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use app::{
    channel,
    cluster::{LiveResource, TypedChannel},
    ports::{CallbackOptions, Cluster, Publisher},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use wire::{Channel, ChannelError};

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    text: String,
}

#[server]
async fn read_orders() -> Result<Vec<Order>, ServerFnError> {
    Ok(Vec::new())
}

const PLACED: TypedChannel<Order> = channel!("view:shop:order:placed");

#[component]
fn OrdersBefore() -> impl IntoView {
    let orders = Resource::new(|| (), |()| read_orders());
    view! { <p>{move || orders.get().and_then(Result::ok).map(|orders| orders.len())}</p> }
}

#[component]
fn OrdersAfter() -> impl IntoView {
    let orders = LiveResource::new(PLACED, read_orders, |orders: &mut Vec<Order>, order, _| {
        if !orders.contains(&order) {
            orders.push(order);
        }
    });
    view! { <p>{move || orders.get().and_then(Result::ok).map(|orders| orders.len())}</p> }
}

async fn tell_placed(cluster: &dyn Cluster, id: u64, text: &str) -> Result<(), ChannelError> {
    let placed: Channel = "view:shop:order:placed".parse()?;
    let news = json!({ "id": id, "text": text }).as_object().cloned().unwrap_or_default();
    cluster.announce(&placed, news, Publisher::default()).await;
    Ok(())
}

/// What was read once and kept in memory.
#[derive(Default)]
struct Prices {
    known: Mutex<HashMap<u64, u64>>,
}

fn forget_with_others(cluster: &dyn Cluster, prices: Arc<Prices>) -> Result<(), ChannelError> {
    cluster.register_broadcast_callback(
        "controller:shop:price:*".parse()?,
        CallbackOptions::default(), // what this instance says itself is left out
        Box::new(move |_| prices.known.lock().unwrap_or_else(PoisonError::into_inner).clear()),
    );
    Ok(())
}
