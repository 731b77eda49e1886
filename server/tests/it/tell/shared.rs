//! Several instances on one MongoDB, or one Redis: who tells what, and when.

use std::sync::Arc;

use app::ports::{CallbackOptions, OwnMessages, Publisher};
use mongodb::bson::{DateTime, Document, doc};
use serde_json::json;
use server::{config::Config, teller::Teller};
use wire::{Message, Payload};

use super::{Audience, Heard, Place, news, title, todo_of, until, until_told};
use crate::kit::{instance::Running, redis::Redis};

#[tokio::test]
async fn one_document_changed_on_two_instances_is_announced_in_its_order() {
    for place in [Place::mongod(), Place::replica_set()] {
        let audience = Audience::new().await;
        let (left, right) = (place.open_as("it:left").await, place.open_as("it:right").await);
        let made = left.todos().create(&title("tea"), "mona", news("created")).await.unwrap();
        let eager = Teller::start(right.outbox(), audience.hub.clone());
        right.todos().toggle(&made.id, news("updated")).await.unwrap();
        left.todos().toggle(&made.id, news("updated")).await.unwrap();
        right.todos().delete(&made.id, news("deleted")).await.unwrap();
        // Of another document: it does not wait for anybody.
        right.todos().create(&title("cake"), "mona", news("created")).await.unwrap();
        audience.until_heard(1).await;
        assert_eq!(todo_of(&audience.heard()[0]).title, "cake");
        assert!(right.outbox().first(9).await.unwrap().is_blocked);
        let slow = Teller::start(left.outbox(), audience.hub.clone());
        audience.until_heard(5).await;
        let heard = audience.to_the_end().await;
        let actions: Vec<_> = heard[1..].iter().map(|message| action(message)).collect();
        assert_eq!(actions, ["created", "updated", "updated", "deleted"]);
        place.assert_clean().await;
        eager.stop().await;
        slow.stop().await;
    }
}

#[tokio::test]
async fn what_a_dead_instance_left_is_told_by_another_when_its_lease_is_over() {
    for place in [Place::mongod(), Place::replica_set()] {
        let audience = Audience::new().await;
        let (dead, other) = (place.open_as("it:dead").await, place.open_as("it:other").await);
        let made = dead.todos().create(&title("tea"), "mona", news("created")).await.unwrap();
        other.outbox().take_over().await.unwrap();
        assert!(other.outbox().first(9).await.unwrap().untold.is_empty(), "its lease runs");
        let database = place.database().await.unwrap();
        for name in ["helloTodos", "announcements"] {
            let over = doc! { "$set": { "announcements.$[].leaseUntil": DateTime::from_millis(0) } };
            let carriers = database.collection::<Document>(name);
            carriers.update_many(doc! { "announcements": { "$exists": true } }, over).await.unwrap();
        }
        let teller = Teller::start(other.outbox(), audience.hub.clone());
        other.todos().toggle(&made.id, news("updated")).await.unwrap();
        audience.until_heard(2).await;
        let heard = audience.to_the_end().await;
        let actions: Vec<_> = heard.iter().map(|message| action(message)).collect();
        assert_eq!(actions, ["created", "updated"]);
        until_told(&other).await;
        place.assert_clean().await;
        teller.stop().await;
    }
}

#[tokio::test]
async fn news_of_an_outage_is_heard_here_at_once_and_elsewhere_when_redis_is_back() {
    let mut redis = Redis::start();
    let config = |instance: &str| {
        let mut config = Config { redis: redis.config(), ..Config::default() };
        config.site.instance = instance.into();
        config
    };
    let (left, right) = (Running::start(config("0")).await, Running::start(config("1")).await);
    let (here, there) = (listen(&left).await, listen(&right).await);
    redis.kill();
    until("both know", async || !left.ports.cluster.is_redis_available() && !right.ports.cluster.is_redis_available())
        .await;
    let url = left.url("/api/1/helloClusterTodo");
    for number in 0..20 {
        let body = json!({ "text": format!("{number}") });
        assert_eq!(reqwest::Client::new().post(&url).json(&body).send().await.unwrap().status(), 201);
    }
    until("all are heard here", async || todos(&here).len() == 20).await;
    assert!(todos(&there).is_empty());
    redis.run();
    until("all are heard there", async || todos(&there).len() >= 20).await;
    let body = json!({ "text": "20" });
    assert_eq!(reqwest::Client::new().post(&url).json(&body).send().await.unwrap().status(), 201);
    let expected: Vec<String> = (0..=20).map(|number| number.to_string()).collect();
    until("the last one is heard there", async || todos(&there).contains(&"20".to_owned())).await;
    until("the last one is heard here", async || todos(&here).contains(&"20".to_owned())).await;
    assert_eq!(todos(&there), expected);
    assert_eq!(todos(&here), expected);
}

/// Hears the list on an instance, from when this returns.
pub(super) async fn listen(instance: &Running) -> Arc<Heard> {
    let heard = Arc::new(Heard::default());
    let listening = Arc::clone(&heard);
    instance.ports.cluster.register_broadcast_callback(
        "view:helloClusterTodo:*".parse().unwrap(),
        CallbackOptions { own: OwnMessages::Hear },
        Box::new(move |message| listening.0.lock().unwrap().push(Arc::new(message.clone()))),
    );
    until("it listens", async || {
        let probe = "view:helloClusterTodo:probe:sent".parse().unwrap();
        instance.ports.cluster.publish_broadcast(&probe, Payload::new(), Publisher::default()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        !heard.0.lock().unwrap().is_empty()
    })
    .await;
    heard
}

/// The titles that were heard of.
fn todos(heard: &Heard) -> Vec<String> {
    let heard = heard.0.lock().unwrap();
    heard.iter().filter(|message| message.data.contains_key("todo")).map(|message| todo_of(message).title).collect()
}

fn action(message: &Message) -> &str {
    message.data["action"].as_str().unwrap()
}
