//! What every bus promises, held against both of them.

use std::sync::Arc;

use server::bus::{Attempt, Bus, Event, Inbox, Link, MemoryBus, RedisBus};
use tokio::time::timeout;
use wire::{
    Channel, Message, Pattern, Position,
    limits::{LOG_MESSAGES, WILDCARD_CHANNELS},
};

use super::kit::{SOON, redis::Redis};

/// A bus under test, with what it stands on.
struct Subject {
    bus: Arc<dyn Bus>,
    inbox: Inbox,
    _redis: Option<Redis>,
}

async fn memory() -> Subject {
    let (bus, inbox) = MemoryBus::new();
    Subject { bus, inbox, _redis: None }
}

async fn redis() -> Subject {
    let redis = Redis::start();
    let (bus, mut inbox) = RedisBus::start(&redis.config(), "it:dev:".into()).unwrap();
    timeout(SOON, bus.link().wait_for(|link| *link == Link::Up)).await.unwrap().unwrap();
    assert!(matches!(inbox.recv().await, Some(Event::LinkUp)));
    Subject { bus, inbox, _redis: Some(redis) }
}

/// Makes each test of the contract a test of both buses.
macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod memory_bus { $(#[tokio::test] async fn $name() { super::$name(super::memory().await).await; })* }
        mod redis_bus { $(#[tokio::test] async fn $name() { super::$name(super::redis().await).await; })* }
    };
}

contract! {
    positions_count_up_by_one_from_one,
    what_is_joined_arrives_in_the_order_of_the_log,
    what_is_published_together_follows_each_other,
    what_is_not_joined_does_not_arrive,
    a_wildcard_hears_every_channel_below_it,
    a_replay_is_exactly_what_followed,
    a_foreign_epoch_or_a_future_offset_is_never_whole,
    the_log_keeps_the_newest_messages,
    a_message_published_again_keeps_its_place,
    a_position_before_the_first_message_can_be_resumed_from,
    a_log_begun_anew_keeps_no_promise_of_the_old_one,
    a_wildcard_knows_where_its_used_channels_stand,
}

fn channel(name: &str) -> Channel {
    name.parse().unwrap()
}

fn message(on: &Channel, number: usize) -> Arc<Message> {
    Arc::new(Message {
        channel: on.clone(),
        data: serde_json::json!({ "number": number }).as_object().unwrap().clone(),
        instance_id: "it:0".into(),
        timestamp: 1_700_000_000_000,
        id: Some(format!("message-{number}").into()),
        position: None,
        uuid: Some("tab".into()),
        username: String::new(),
        source: None,
    })
}

impl Subject {
    async fn publish(&self, on: &Channel, number: usize) -> Position {
        self.bus.publish(&[message(on, number)], Attempt::First).await.unwrap().remove(0)
    }

    async fn next(&mut self) -> Arc<Message> {
        match timeout(SOON, self.inbox.recv()).await.expect("an event comes soon") {
            Some(Event::Message(message)) => message,
            other => panic!("expected a message, got {other:?}"),
        }
    }
}

async fn positions_count_up_by_one_from_one(subject: Subject) {
    let on = channel("view:it:count:up");
    let begin = subject.bus.position(&on).await.unwrap();
    assert_eq!(begin.offset, 0);
    for number in 1..=3 {
        let position = subject.publish(&on, number).await;
        assert_eq!(position, Position { epoch: begin.epoch.clone(), offset: number as u64 });
    }
    assert_eq!(subject.bus.position(&on).await.unwrap().offset, 3);
}

async fn what_is_joined_arrives_in_the_order_of_the_log(mut subject: Subject) {
    let on = channel("view:it:order:kept");
    subject.bus.join(&Pattern::from(&on)).await.unwrap();
    for number in 1..=100 {
        subject.publish(&on, number).await;
    }
    for number in 1..=100_u64 {
        let message = subject.next().await;
        assert_eq!(message.position.as_ref().unwrap().offset, number);
        assert_eq!(message.data["number"], number);
        assert_eq!(message.uuid.as_deref(), Some("tab"));
    }
}

async fn what_is_published_together_follows_each_other(mut subject: Subject) {
    let on = channel("view:it:order:together");
    subject.bus.join(&Pattern::from(&on)).await.unwrap();
    let before = subject.publish(&on, 0).await;
    let together: Vec<_> = (1..=50).map(|number| message(&on, number)).collect();
    let positions = subject.bus.publish(&together, Attempt::First).await.unwrap();
    let offsets: Vec<u64> = positions.iter().map(|position| position.offset).collect();
    assert_eq!(offsets, (before.offset + 1..=before.offset + 50).collect::<Vec<_>>());
    for number in 0..=50_u64 {
        let message = subject.next().await;
        assert_eq!(message.data["number"], number);
        assert_eq!(message.position.as_ref().unwrap().offset, before.offset + number);
    }
}

async fn what_is_not_joined_does_not_arrive(mut subject: Subject) {
    let (heard, ignored) = (channel("view:it:heard:here"), channel("view:it:ignored:here"));
    subject.bus.join(&Pattern::from(&heard)).await.unwrap();
    subject.bus.join(&Pattern::from(&ignored)).await.unwrap();
    subject.bus.leave(&Pattern::from(&ignored)).await;
    subject.publish(&ignored, 1).await;
    subject.publish(&heard, 2).await;
    assert_eq!(subject.next().await.channel, heard);
}

async fn a_wildcard_hears_every_channel_below_it(mut subject: Subject) {
    subject.bus.join(&"view:it:*".parse().unwrap()).await.unwrap();
    for name in ["view:it:a:b", "view:it:a:b:c", "view:other:a:b", "view:it:z:z"] {
        subject.publish(&channel(name), 1).await;
    }
    for name in ["view:it:a:b", "view:it:a:b:c", "view:it:z:z"] {
        assert_eq!(subject.next().await.channel.as_str(), name);
    }
}

async fn a_replay_is_exactly_what_followed(subject: Subject) {
    let on = channel("view:it:replay:exact");
    for number in 1..=20 {
        subject.publish(&on, number).await;
    }
    let end = subject.bus.position(&on).await.unwrap();
    for since in [0, 7, 19, 20] {
        let replay = subject.bus.replay(&on, &Position { offset: since, ..end.clone() }).await.unwrap();
        assert_eq!(replay.position, end);
        let offsets: Vec<u64> =
            replay.messages.unwrap().iter().map(|message| message.position.as_ref().unwrap().offset).collect();
        assert_eq!(offsets, (since + 1..=20).collect::<Vec<_>>());
    }
}

async fn a_foreign_epoch_or_a_future_offset_is_never_whole(subject: Subject) {
    let on = channel("view:it:replay:never");
    let position = subject.publish(&on, 1).await;
    let foreign = Position { epoch: "another".into(), offset: 0 };
    let future = Position { offset: 2, ..position };
    for since in [foreign, future] {
        assert!(subject.bus.replay(&on, &since).await.unwrap().messages.is_none(), "{since:?}");
    }
}

async fn the_log_keeps_the_newest_messages(subject: Subject) {
    let on = channel("view:it:log:bounded");
    let first = subject.publish(&on, 1).await;
    for number in 2..=LOG_MESSAGES + 1 {
        subject.publish(&on, number).await;
    }
    let kept = subject.bus.replay(&on, &first).await.unwrap().messages.expect("the window is whole");
    assert_eq!(kept.len(), LOG_MESSAGES);
    let beyond = subject.bus.replay(&on, &Position { offset: 0, ..first }).await.unwrap();
    assert!(beyond.messages.is_none());
}

async fn a_message_published_again_keeps_its_place(mut subject: Subject) {
    let on = channel("view:it:publish:again");
    subject.bus.join(&Pattern::from(&on)).await.unwrap();
    let first = subject.publish(&on, 1).await;
    subject.publish(&on, 2).await;
    let again = [message(&on, 1), message(&on, 3)];
    let positions = subject.bus.publish(&again, Attempt::Again).await.unwrap();
    assert_eq!(positions, [first.clone(), Position { offset: 3, ..first }]);
    for offset in 1..=3 {
        assert_eq!(subject.next().await.position.as_ref().unwrap().offset, offset);
    }
}

async fn a_position_before_the_first_message_can_be_resumed_from(subject: Subject) {
    let on = channel("view:it:resume:early");
    let before = subject.bus.position(&on).await.unwrap();
    subject.publish(&on, 1).await;
    assert_eq!(subject.bus.replay(&on, &before).await.unwrap().messages.map(|messages| messages.len()), Some(1));
}

async fn a_log_begun_anew_keeps_no_promise_of_the_old_one(mut subject: Subject) {
    let on = channel("view:it:log:renewed");
    subject.bus.join(&Pattern::from(&on)).await.unwrap();
    let old = subject.publish(&on, 1).await;
    subject.next().await;
    subject.bus.renew(&on).await.unwrap();
    let event = timeout(SOON, subject.inbox.recv()).await.expect("an event comes soon");
    assert!(matches!(&event, Some(Event::Renewed(renewed)) if *renewed == on), "{event:?}");
    assert!(subject.bus.replay(&on, &old).await.unwrap().messages.is_none());
    let new = subject.publish(&on, 2).await;
    assert_ne!(new.epoch, old.epoch);
    assert_eq!(new.offset, 1);
}

async fn a_wildcard_knows_where_its_used_channels_stand(subject: Subject) {
    let (used, twice) = (channel("view:it:used:once"), channel("view:it:used:twice"));
    subject.bus.position(&channel("view:it:looked:at")).await.unwrap();
    let once = subject.publish(&used, 1).await;
    subject.publish(&twice, 1).await;
    let again = subject.publish(&twice, 2).await;
    subject.publish(&channel("view:elsewhere:used:too"), 1).await;
    let positions = subject.bus.positions(&"view:it:*".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(positions, [(used, once), (twice, again)].into_iter().collect());
    for number in 0..WILDCARD_CHANNELS {
        subject.publish(&channel(&format!("view:it:many:channel{number}")), 1).await;
    }
    assert_eq!(subject.bus.positions(&"view:it:*".parse().unwrap()).await.unwrap(), None);
}
