//! docs/PERFORMANCE.md.

use std::{sync::Arc, time::Duration};

use app::{
    channel,
    cluster::{LiveResource, LiveSources, TypedChannel, use_throttled_publish},
    pace::{Batch, Throttle},
    ports::Cluster,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use server::config::Config;
use wire::ChannelError;

use crate::kit::{browser::Browser, instance::Running};

#[derive(Serialize, Deserialize)]
struct Pointer {
    x: i32,
    y: i32,
}

const MOVED: TypedChannel<Pointer> = channel!("view:myApp:pointer:moved");

#[component]
fn Board() -> impl IntoView {
    let tell = use_throttled_publish(MOVED, Duration::from_millis(50));
    view! { <div on:pointermove=move |event| tell(Pointer { x: event.client_x(), y: event.client_y() })></div> }
}

fn tell_progress(cluster: Arc<dyn Cluster>) -> Result<(), ChannelError> {
    let progress = Throttle::new(cluster, "view:myApp:import:progress".parse()?, Duration::from_secs(1));
    for percent in 0..=100 {
        progress.publish(json!({ "percent": percent }).as_object().cloned().unwrap_or_default());
    }
    Ok(())
}

#[derive(Clone, Serialize, Deserialize)]
struct Item {
    id: u64,
    text: String,
}

/// One change, not the list.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
enum Change {
    Saved { item: Item },
    Removed { id: u64 },
}

const CHANGED: TypedChannel<Change> = channel!("view:myApp:item:changed");

#[server]
async fn read_items() -> Result<Vec<Item>, ServerFnError> {
    Ok(Vec::new())
}

fn use_items() -> LiveResource<Vec<Item>> {
    LiveSources::on(CHANGED, |items: &mut Vec<Item>, change, _| apply(items, change)).load(read_items)
}

/// Twice is as good as once: a change may be in the list already.
fn apply(items: &mut Vec<Item>, change: Change) {
    match change {
        Change::Saved { item } => match items.iter_mut().find(|known| known.id == item.id) {
            Some(known) => *known = item,
            None => items.push(item),
        },
        Change::Removed { id } => items.retain(|known| known.id != id),
    }
}

fn tell_stock(cluster: Arc<dyn Cluster>) -> Result<(), ChannelError> {
    let changes = Batch::new(cluster, "view:myApp:stock:changed".parse()?, Duration::from_millis(500));
    for article in 1..=250 {
        changes.push(json!({ "article": article, "stock": 3 }));
    }
    Ok(())
}

#[tokio::test]
async fn a_hundred_percents_are_two_broadcasts_and_250_changes_are_three() {
    let instance = Running::start(Config::default()).await;
    let cluster = Arc::clone(&instance.ports.cluster);
    let mut browser: Browser = instance.open_browser().await;
    browser.subscribe("view:myApp:import:progress").await;
    tell_progress(Arc::clone(&cluster)).unwrap();
    // The last value is what counts: what came between may be left out, wherever the first task ran.
    while browser.next_data().await["percent"] != 100 {}

    let mut browser: Browser = instance.open_browser().await;
    browser.subscribe("view:myApp:stock:changed").await;
    tell_stock(cluster).unwrap();
    let mut sizes = Vec::new();
    for _ in 0..3 {
        sizes.push(browser.next_data().await["changes"].as_array().unwrap().len());
    }
    assert_eq!(sizes, [100, 100, 50]);
}

#[test]
fn a_change_applied_twice_is_applied_once() {
    let item = Item { id: 7, text: "tea".into() };
    let mut items = Vec::new();
    for _ in 0..2 {
        apply(&mut items, Change::Saved { item: item.clone() });
    }
    assert_eq!(items.len(), 1);
    for _ in 0..2 {
        apply(&mut items, Change::Removed { id: 7 });
    }
    assert!(items.is_empty());
}
