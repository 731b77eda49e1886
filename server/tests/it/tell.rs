//! Commit, then tell: what was saved is announced once and in order, whatever ends in between. One
//! contract over every kind of store.

mod kill;
mod shared;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use app::{
    ports::{Announcement, Publisher, StoreError, Tell},
    todo::{ITEM_UPDATED, LIST_CHANGED, Todo},
};
use serde_json::{Value, json};
use server::{
    bus::MemoryBus,
    hub::{Batch, Draft, Hub, Listener, Omit, OutboxLimits, Route, Saved, Subscription},
    store::{Store, Untold},
    teller::Teller,
};
use tempfile::TempDir;
use wire::{Channel, Message, Payload, Position, Since};

use super::{
    kit::{
        mongod::{Mongod, fresh_database},
        until,
    },
    store::{silent, title},
};

/// Every promise, over each kind of store.
macro_rules! contract {
    ($($test:ident),* $(,)?) => {
        mod embedded { $(#[tokio::test(flavor = "multi_thread")] async fn $test() {
            super::$test(super::Place::embedded()).await;
        })* }
        mod alone { $(#[tokio::test(flavor = "multi_thread")] async fn $test() {
            super::$test(super::Place::mongod()).await;
        })* }
        mod replica_set { $(#[tokio::test(flavor = "multi_thread")] async fn $test() {
            super::$test(super::Place::replica_set()).await;
        })* }
    };
}

contract!(
    a_change_is_announced_at_once_and_then_forgotten,
    a_crash_between_commit_and_publish_loses_nothing,
    a_crash_between_publish_and_removal_repeats_nothing,
    what_was_not_changed_is_not_announced,
    the_changes_of_one_document_are_announced_in_their_order,
    more_changes_than_the_lane_holds_are_all_announced,
    what_is_kept_has_a_bound,
);

async fn a_change_is_announced_at_once_and_then_forgotten(place: Place) {
    let (store, audience) = (place.open().await, Audience::new().await);
    let teller = Teller::start(store.outbox(), audience.hub.clone());
    let todos = store.todos();
    let made = todos.create(&title("tea"), "mona", news("created")).await.unwrap();
    audience.until_heard(1).await;
    let done = todos.toggle(&made.id, news("updated")).await.unwrap();
    let last = todos.delete(&made.id, news("deleted")).await.unwrap();
    audience.until_heard(3).await;
    let heard = audience.heard();
    let actions: Vec<_> = heard.iter().map(|message| message.data["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["created", "updated", "deleted"]);
    assert_eq!((todo_of(&heard[0]), todo_of(&heard[1]), todo_of(&heard[2])), (made, done.clone(), last.clone()));
    assert_eq!(last, done);
    assert_eq!((heard[0].uuid.as_deref(), heard[0].username.as_str()), (Some("tab"), "mona"));
    assert_eq!(heard[0].data["uuid"], "tab");
    until_told(&store).await;
    assert_eq!((teller.told(), teller.dropped()), (3, 0));
    place.assert_clean().await;
    teller.stop().await;
}

async fn a_crash_between_commit_and_publish_loses_nothing(place: Place) {
    let store = place.open().await;
    let todos = store.todos();
    let made = todos.create(&title("tea"), "mona", news("created")).await.unwrap();
    todos.toggle(&made.id, news("updated")).await.unwrap();
    let saved: Vec<_> = waiting(&store).await.into_iter().map(|untold| untold.id).collect();
    store.close().await;

    let (store, audience) = (place.open().await, Audience::new().await);
    let teller = Teller::start(store.outbox(), audience.hub.clone());
    audience.until_heard(2).await;
    until_told(&store).await;
    teller.stop().await;
    // And again, as after another crash.
    let teller = Teller::start(store.outbox(), audience.hub.clone());
    let ids: Vec<_> = audience.to_the_end().await.iter().map(|message| message.id.clone().unwrap()).collect();
    assert_eq!(ids, saved);
    place.assert_clean().await;
    teller.stop().await;
}

async fn a_crash_between_publish_and_removal_repeats_nothing(place: Place) {
    let (store, audience) = (place.open().await, Audience::new().await);
    let made = store.todos().create(&title("tea"), "mona", news("created")).await.unwrap();
    store.todos().delete(&made.id, news("deleted")).await.unwrap();
    for untold in waiting(&store).await {
        let receipt = audience.hub.publish(draft(untold, Route::First)).await.unwrap();
        assert!(!receipt.fallback);
    }
    store.close().await;

    let store = place.open().await;
    let teller = Teller::start(store.outbox(), audience.hub.clone());
    until_told(&store).await;
    assert_eq!(audience.to_the_end().await.len(), 2);
    place.assert_clean().await;
    teller.stop().await;
}

async fn what_was_not_changed_is_not_announced(place: Place) {
    let store = place.open().await;
    let todos = store.todos();
    let nowhere = "0123456789abcdef01234567";
    assert!(matches!(todos.toggle(nowhere, news("updated")).await, Err(StoreError::NotFound)));
    assert!(matches!(todos.delete(nowhere, news("deleted")).await, Err(StoreError::NotFound)));
    let made = todos.create(&title("tea"), "mona", silent()).await.unwrap();
    todos.toggle(&made.id, silent()).await.unwrap();
    todos.delete(&made.id, silent()).await.unwrap();
    assert!(waiting(&store).await.is_empty());
    assert!(store.outbox().lane().take(1).untold.is_empty());
    place.assert_clean().await;
}

async fn the_changes_of_one_document_are_announced_in_their_order(place: Place) {
    let (store, audience) = (place.open().await, Audience::new().await);
    let teller = Teller::start(store.outbox(), audience.hub.clone());
    let made = store.todos().create(&title("tea"), "mona", news("created")).await.unwrap();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (todos, id) = (store.todos(), made.id.clone());
            tokio::spawn(async move {
                for _ in 0..10 {
                    todos.toggle(&id, news("updated")).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    store.todos().delete(&made.id, news("deleted")).await.unwrap();
    audience.until_heard(42).await;
    let heard = audience.to_the_end().await;
    let states: Vec<bool> = heard.iter().map(|message| todo_of(message).completed).collect();
    let alternating: Vec<bool> = (0..41).map(|number| number % 2 == 1).chain([false]).collect();
    assert_eq!(states, alternating);
    teller.stop().await;
}

async fn more_changes_than_the_lane_holds_are_all_announced(place: Place) {
    let (store, audience) = (place.open().await, Audience::new().await);
    let each: usize = if matches!(place, Place::File(_)) { 250 } else { 20 };
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let todos = store.todos();
            tokio::spawn(async move {
                for _ in 0..each {
                    todos.create(&title("tea"), "mona", news("created")).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let teller = Teller::start(store.outbox(), audience.hub.clone());
    until_told(&store).await;
    let mut ids: Vec<_> = audience.to_the_end().await.iter().map(|message| message.id.clone().unwrap()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), teller.told()), (20 * each, 20 * each as u64));
    teller.stop().await;
}

async fn what_is_kept_has_a_bound(place: Place) {
    let store = place.open().await;
    store.todos().create(&title("tea"), "mona", news("created")).await.unwrap();
    assert_eq!(store.outbox().shed().await.unwrap(), 0, "young and few");
    assert_eq!(waiting(&store).await.len(), 1);
    place.make_old().await;
    let store = place.open_again(store).await;
    assert_eq!(store.outbox().shed().await.unwrap(), place.old());
}

/// Where a store is, so that it can be opened again.
enum Place {
    File(TempDir),
    Mongo(Arc<Mongod>, String),
}

impl Place {
    fn embedded() -> Self {
        Self::File(TempDir::new().unwrap())
    }

    fn mongod() -> Self {
        Self::Mongo(Mongod::shared(), fresh_database())
    }

    fn replica_set() -> Self {
        Self::Mongo(Mongod::shared_replica_set(), fresh_database())
    }

    async fn open(&self) -> Store {
        self.open_as("it:0").await
    }

    /// For an instance of this name.
    async fn open_as(&self, instance: &str) -> Store {
        let store = match self {
            Self::File(data) => Store::embedded(data.path()).await.unwrap(),
            Self::Mongo(mongod, database) => Store::mongo(&mongod.uri(database)).await.unwrap(),
        };
        store.outbox().own(&instance.into());
        store
    }

    async fn open_again(&self, store: Store) -> Store {
        store.close().await;
        self.open().await
    }

    /// The database as it is.
    async fn database(&self) -> Option<mongodb::Database> {
        let Self::Mongo(mongod, name) = self else { return None };
        let client = mongodb::Client::with_uri_str(mongod.uri(name)).await.unwrap();
        client.default_database()
    }

    /// Nothing is left behind but documents: no tombstones, no empty lists.
    async fn assert_clean(&self) {
        use mongodb::bson::{Document, doc};
        let Some(database) = self.database().await else { return };
        until("nothing is left behind", async || {
            let left = doc! { "$or": [{ "announcements": { "$exists": true } }, { "gone": true }] };
            let todos = database.collection::<Document>("helloTodos").count_documents(left).await.unwrap();
            todos + database.collection::<Document>("announcements").count_documents(doc! {}).await.unwrap() == 0
        })
        .await;
    }

    /// Makes what waits look as if it were saved long ago.
    async fn make_old(&self) {
        use mongodb::bson::{Document, doc};
        let Some(database) = self.database().await else { return };
        for name in ["helloTodos", "announcements"] {
            let old = doc! { "$set": { "announcements.0._id": "01800000-0000-7000-8000-000000000000" } };
            let carriers = database.collection::<Document>(name);
            carriers.update_many(doc! { "announcements.0": { "$exists": true } }, old).await.unwrap();
        }
    }

    /// How many [`Place::make_old`] makes of one: a file cannot be changed from outside.
    fn old(&self) -> u64 {
        u64::from(matches!(self, Self::Mongo(..)))
    }
}

/// A hub without others, and somebody who hears all of it.
struct Audience {
    hub: Hub,
    heard: Arc<Heard>,
    _subscription: Subscription,
}

#[derive(Default)]
struct Heard(Mutex<Vec<Arc<Message>>>);

impl Listener for Heard {
    fn deliver(&self, batch: &Batch) {
        self.0.lock().unwrap().extend(batch.deliveries().iter().map(|delivery| Arc::clone(&delivery.message)));
    }

    fn lost(&self, channel: &Channel, _position: Option<&Position>) {
        panic!("lost something on {channel}");
    }
}

impl Audience {
    async fn new() -> Self {
        let (bus, inbox) = MemoryBus::new();
        let hub = Hub::start(bus, inbox, "it:0".into(), OutboxLimits { messages: 100, bytes: 1 << 20 }, &[]);
        let heard = Arc::new(Heard::default());
        let all = "view:helloClusterTodo:*".parse().unwrap();
        let listener = Arc::clone(&heard) as Arc<dyn Listener>;
        let joined = hub.subscribe(&all, Omit::Nothing, Since::Now, listener).await;
        Self { hub, heard, _subscription: joined.subscription }
    }

    fn heard(&self) -> Vec<Arc<Message>> {
        self.heard.0.lock().unwrap().clone()
    }

    async fn until_heard(&self, count: usize) {
        until(&format!("{count} are heard"), async || self.heard().len() >= count).await;
    }

    /// Everything heard, when nothing more is on its way.
    async fn to_the_end(&self) -> Vec<Arc<Message>> {
        let channel: Channel = "view:helloClusterTodo:end:reached".parse().unwrap();
        let last = Draft {
            channel: channel.clone(),
            payload: Payload::new(),
            uuid: None,
            username: String::new(),
            saved: None,
        };
        self.hub.publish(last).await.unwrap();
        until("the end", async || self.heard().iter().any(|message| message.channel == channel)).await;
        self.heard().into_iter().filter(|message| message.channel != channel).collect()
    }
}

/// What a change is announced as.
fn news(action: &'static str) -> Tell<Todo> {
    Box::new(move |todo| {
        let channel = if action == "updated" { ITEM_UPDATED } else { LIST_CHANGED }.parse().unwrap();
        let Value::Object(payload) = json!({ "action": action, "todo": todo, "$odd.key": u64::MAX }) else {
            return None;
        };
        let publisher = Publisher { uuid: Some("tab".into()), username: "mona".into(), ..Publisher::default() };
        Some(Announcement { channel, payload, publisher })
    })
}

fn todo_of(message: &Message) -> Todo {
    serde_json::from_value(message.data["todo"].clone()).unwrap()
}

async fn waiting(store: &Store) -> Vec<Untold> {
    store.outbox().first(100).await.unwrap().untold
}

async fn until_told(store: &Store) {
    let told = async {
        while !waiting(store).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), told).await.expect("everything is told");
}

fn draft(untold: Untold, route: Route) -> Draft {
    let Untold { id, at, announcement, .. } = untold;
    let Announcement { channel, payload, publisher } = announcement;
    let saved = Some(Saved { id, timestamp: at, route });
    Draft { channel, payload, uuid: publisher.uuid, username: publisher.username, saved }
}
