//! The protocol, event by event.

mod connection;
mod model;
mod tab;

use serde_json::json;
use wire::Position;

use super::*;
use tab::*;

#[test]
fn a_subscription_made_before_the_socket_is_open_goes_out_when_it_is() {
    let mut tab = Tab::new();
    assert_eq!(tab.on(Event::Started), [Action::Connect]);
    assert!(tab.subscribe(ONE, CHANNEL, Own::Hear, None).is_empty());
    let actions = tab.on(Event::Opened);
    assert_eq!(actions[0], Action::State(State::Connected));
    assert_eq!(sent(&actions), [json!({"type": "subscribe", "channel": CHANNEL, "requestId": "s1"})]);
    assert_eq!(told(&tab.answer("s1", stands(7, false))), [(1, News::Stands)]);
    assert_eq!(delivered(&tab.hear(message(8))), [(1, "m8".to_owned(), false)]);
}

#[test]
fn two_listeners_of_a_channel_share_a_subscription_until_the_last_one_leaves() {
    let mut tab = Tab::connected();
    tab.subscribe(ONE, CHANNEL, Own::Hear, None);
    tab.answer("s1", stands(0, false));
    let joined = tab.subscribe(TWO, CHANNEL, Own::Hear, None);
    assert_eq!((sent(&joined), told(&joined)), (vec![], vec![(2, News::Stands)]));
    assert_eq!(delivered(&tab.hear(message(1))).len(), 2);
    assert!(tab.on(Event::Unsubscribe(ONE)).is_empty());
    assert_eq!(delivered(&tab.hear(message(2))).len(), 1);
    let left = tab.on(Event::Unsubscribe(TWO));
    assert_eq!(sent(&left), [json!({"type": "unsubscribe", "channel": CHANNEL, "requestId": "s2"})]);
    assert!(tab.hear(message(3)).is_empty());
}

#[test]
fn a_listener_may_return_while_the_goodbye_waits_to_go_out() {
    let mut tab = Tab::connected();
    tab.subscribe(ONE, CHANNEL, Own::Hear, None);
    tab.answer("s1", stands(0, false));
    for id in 0..60 {
        tab.publish(id);
    }
    assert!(tab.on(Event::Unsubscribe(ONE)).is_empty());
    assert_eq!(told(&tab.subscribe(TWO, CHANNEL, Own::Hear, None)), [(2, News::Stands)]);
    assert_eq!(delivered(&tab.hear(message(1))), [(2, "m1".to_owned(), false)]);
}

#[test]
fn after_a_drop_it_resumes_from_the_last_message_and_marks_what_was_missed() {
    let mut tab = Tab::connected();
    tab.subscribe(ONE, CHANNEL, Own::Hear, None);
    tab.answer("s1", stands(4, false));
    tab.hear(message(5));
    let actions = tab.drop_and_reopen();
    let since = json!({"epoch": "e", "offset": 5});
    assert_eq!(sent(&actions), [json!({"type": "subscribe", "channel": CHANNEL, "since": since, "requestId": "s2"})]);
    assert_eq!(told(&tab.answer("s2", stands(7, true))), [(1, News::Stands)]);
    assert!(tab.hear(message(5)).is_empty(), "a repetition");
    assert_eq!(delivered(&tab.hear(message(6))), [(1, "m6".to_owned(), true)]);
    assert_eq!(delivered(&tab.hear(message(7))), [(1, "m7".to_owned(), true)]);
    assert_eq!(delivered(&tab.hear(message(8))), [(1, "m8".to_owned(), false)]);
}

#[test]
fn a_drop_before_the_first_message_resumes_from_where_the_subscription_began() {
    let mut tab = Tab::connected();
    tab.subscribe(ONE, CHANNEL, Own::Hear, None);
    tab.answer("s1", stands(4, false));
    assert_eq!(sent(&tab.drop_and_reopen())[0]["since"], json!({"epoch": "e", "offset": 4}));
}

#[test]
fn a_loss_beyond_repair_is_told() {
    let mut tab = Tab::connected();
    tab.subscribe(ONE, CHANNEL, Own::Hear, None);
    tab.answer("s1", stands(4, false));
    tab.drop_and_reopen();
    assert_eq!(told(&tab.answer("s2", stands(2_000, false))), [(1, News::Gap)]);
    assert_eq!(delivered(&tab.hear(message(2_001))).len(), 1);
    let gap = tab.hear(json!({"type": "gap", "data": {"channel": CHANNEL}}));
    assert_eq!(told(&gap), [(1, News::Gap)]);
}

#[test]
fn nothing_missed_is_no_gap_even_when_the_log_is_gone() {
    let mut tab = Tab::connected();
    tab.subscribe(ONE, CHANNEL, Own::Hear, None);
    tab.answer("s1", stands(4, false));
    tab.drop_and_reopen();
    assert_eq!(told(&tab.answer("s2", stands(4, false))), [(1, News::Stands)]);
}

#[test]
fn a_new_log_is_a_gap_and_goes_on_from_its_beginning() {
    let mut tab = Tab::connected();
    tab.subscribe(ONE, CHANNEL, Own::Hear, Some(Position { epoch: "old".into(), offset: 90 }));
    assert_eq!(told(&tab.answer("s1", stands(3, false))), [(1, News::Gap)]);
    assert_eq!(delivered(&tab.hear(message(4))), [(1, "m4".to_owned(), false)]);
}

#[test]
fn a_wildcard_resumes_in_every_channel_it_knows_and_hears_the_others_from_their_beginning() {
    let mut tab = Tab::connected();
    tab.subscribe(ONE, "view:test:*", Own::Hear, None);
    let stands = |positions: Value, recovered: bool| {
        json!({"type": "subscribed", "data":
            {"channel": "view:test:*", "timestamp": "", "positions": positions, "recovered": recovered}})
    };
    assert_eq!(told(&tab.answer("s1", stands(json!({CHANNEL: at(4)}), false))), [(1, News::Stands)]);
    assert_eq!(delivered(&tab.hear(message(5))), [(1, "m5".to_owned(), false)]);
    let again = tab.drop_and_reopen();
    assert_eq!(sent(&again)[0]["positions"], json!({CHANNEL: at(5)}));
    let now = json!({CHANNEL: at(6), "view:test:other:one": at(1)});
    assert_eq!(told(&tab.answer("s2", stands(now, true))), [(1, News::Stands)]);
    assert_eq!(delivered(&tab.hear(message(6))), [(1, "m6".to_owned(), true)]);
    let mut other = message(1);
    other["data"]["channel"] = json!("view:test:other:one");
    other["data"]["id"] = json!("other");
    assert_eq!(delivered(&tab.hear(other)), [(1, "other".to_owned(), true)]);
    assert!(tab.hear(message(6)).is_empty(), "it came live, too");
    assert_eq!(delivered(&tab.hear(message(7))), [(1, "m7".to_owned(), false)]);
}

#[test]
fn a_wildcard_that_cannot_resume_says_so() {
    let mut tab = Tab::connected();
    let subscribed =
        json!({"type": "subscribed", "data": {"channel": "view:test:*", "timestamp": "", "recovered": false}});
    tab.subscribe(ONE, "view:test:*", Own::Hear, None);
    assert_eq!(told(&tab.answer("s1", subscribed.clone())), [(1, News::Stands)]);
    assert_eq!(delivered(&tab.hear(message(1))).len(), 1);
    tab.drop_and_reopen();
    assert_eq!(told(&tab.answer("s2", subscribed)), [(1, News::Gap)]);
    assert_eq!(delivered(&tab.hear(message(3))).len(), 1);
}

#[test]
fn a_wildcard_does_not_go_back_when_it_comes_to_an_instance_that_is_behind() {
    let mut tab = Tab::connected();
    let subscribed =
        json!({"type": "subscribed", "data": {"channel": "view:test:*", "timestamp": "", "recovered": false}});
    tab.subscribe(ONE, "view:test:*", Own::Hear, None);
    tab.answer("s1", subscribed.clone());
    assert_eq!(delivered(&tab.hear(message(7))).len(), 1);
    tab.drop_and_reopen();
    tab.answer("s2", subscribed);
    assert!(tab.hear(message(6)).is_empty());
    assert_eq!(delivered(&tab.hear(message(8))).len(), 1);
    // A log that lost messages may begin anew anywhere.
    assert_eq!(told(&tab.hear(json!({"type": "gap", "data": {"channel": CHANNEL}}))), [(1, News::Gap)]);
    assert_eq!(delivered(&tab.hear(message(6))).len(), 1);
}

#[test]
fn one_frame_reaches_every_matching_listener_once() {
    let mut tab = Tab::connected();
    tab.subscribe(ONE, CHANNEL, Own::Hear, None);
    tab.subscribe(TWO, "view:*", Own::Hear, None);
    tab.answer("s1", stands(0, false));
    tab.answer("s2", json!({"type": "subscribed", "data": {"channel": "view:*", "timestamp": "", "recovered": false}}));
    assert_eq!(delivered(&tab.hear(message(1))).len(), 2);
    assert!(tab.hear(message(1)).is_empty());
}

#[test]
fn a_listener_that_begins_earlier_gets_what_the_others_have_seen() {
    let mut tab = Tab::connected();
    tab.subscribe(ONE, CHANNEL, Own::Hear, None);
    tab.answer("s1", stands(9, false));
    tab.hear(message(10));
    let joined = tab.subscribe(TWO, CHANNEL, Own::Hear, Some(at(8)));
    assert_eq!(sent(&joined)[0]["since"], json!({"epoch": "e", "offset": 8}));
    assert_eq!(delivered(&tab.hear(message(11))), [(1, "m11".to_owned(), false)], "not before its own subscription");
    assert_eq!(told(&tab.answer("s2", stands(11, true))), [(2, News::Stands)]);
    for offset in 9..=11 {
        assert_eq!(delivered(&tab.hear(message(offset))), [(2, format!("m{offset}"), true)]);
    }
    assert_eq!(delivered(&tab.hear(message(12))).len(), 2);
}

#[test]
fn a_listener_that_begins_where_the_others_stand_asks_for_nothing() {
    let mut tab = Tab::connected();
    tab.subscribe(ONE, CHANNEL, Own::Hear, None);
    tab.answer("s1", stands(9, false));
    let joined = tab.subscribe(TWO, CHANNEL, Own::Hear, Some(at(9)));
    assert_eq!((sent(&joined), told(&joined)), (vec![], vec![(2, News::Stands)]));
}

#[test]
fn the_server_omits_own_messages_only_when_all_listeners_want_it() {
    let mut tab = Tab::connected();
    let first = tab.subscribe(ONE, CHANNEL, Own::Omit, None);
    assert_eq!(sent(&first)[0]["omitSelf"], json!(true));
    tab.answer("s1", stands(0, false));
    let second = tab.subscribe(TWO, CHANNEL, Own::Hear, None);
    assert_eq!(sent(&second)[0].get("omitSelf"), None);
    assert_eq!(told(&tab.answer("s2", stands(3, true))), [(2, News::Stands)]);
    assert!(tab.hear(own(message(3))).is_empty(), "old to the second, own to the first");
    assert_eq!(delivered(&tab.hear(own(message(4)))), [(2, "m4".to_owned(), false)]);
    assert_eq!(delivered(&tab.hear(message(5))).len(), 2);
}

#[test]
fn a_message_that_was_in_no_log_at_first_comes_once() {
    let mut tab = Tab::connected();
    tab.subscribe(ONE, CHANNEL, Own::Hear, None);
    tab.answer("s1", stands(0, false));
    assert_eq!(delivered(&tab.hear(unpositioned("m1"))).len(), 1);
    assert!(tab.hear(message(1)).is_empty());
    assert_eq!(delivered(&tab.hear(message(2))).len(), 1);
}

#[test]
fn the_messages_of_a_long_outage_come_once_when_they_are_logged() {
    let mut tab = Tab::connected();
    tab.subscribe(ONE, CHANNEL, Own::Hear, None);
    tab.answer("s1", stands(0, false));
    for number in 1..=3_000 {
        assert_eq!(delivered(&tab.hear(unpositioned(&format!("m{number}")))).len(), 1);
    }
    tab.drop_and_reopen();
    tab.answer("s2", stands(3_000, true));
    for offset in 1..=3_000 {
        assert!(tab.hear(message(offset)).is_empty(), "{offset}");
    }
}

#[test]
fn a_publish_is_settled_by_its_answer() {
    let mut tab = Tab::connected();
    assert_eq!(sent(&tab.publish(1)), [json!({"type": "publish", "channel": CHANNEL, "data": {}, "requestId": "p1"})]);
    tab.publish(2);
    let receipt = json!({"type": "published", "data":
        {"channel": CHANNEL, "instanceId": "a:0", "timestamp": "", "id": "m1", "epoch": "e", "offset": 1}});
    assert!(matches!(&tab.answer("p1", receipt.clone())[..], [Action::Settle(PublishId(1), Outcome::Taken(_))]));
    assert!(tab.answer("p1", receipt).is_empty());
    let refused = tab.fail("p2", "INVALID_DATA", Value::Null);
    assert!(matches!(&refused[..], [Action::Settle(PublishId(2), Outcome::Refused(_))]));
}

#[test]
fn a_publish_without_answer_is_settled_by_time_or_by_loss() {
    let mut tab = Tab::connected();
    tab.publish(1);
    let overdue = tab.wait();
    assert_eq!(overdue[1..], [Action::Settle(PublishId(1), Outcome::TimedOut)]);
    assert_eq!(sent(&overdue[..1]), [json!({"type": "ping"})], "whether anybody is there");
    assert_eq!(tab.now, publishes::ANSWER_WITHIN);
    tab.publish(2);
    let lost = tab.on(Event::Closed { code: 1006 });
    assert!(lost.contains(&Action::Settle(PublishId(2), Outcome::ConnectionLost)));
    assert_eq!(tab.publish(3), [Action::Settle(PublishId(3), Outcome::Unsent)]);
}

#[test]
fn a_burst_is_spread_out_below_the_servers_limit() {
    let mut tab = Tab::connected();
    let at_once: usize = (0..100).map(|id| sent(&tab.publish(id)).len()).sum();
    assert_eq!(at_once, 25);
    let mut later = 0;
    while tab.now < Duration::from_secs(4) {
        later += sent(&tab.wait()).iter().filter(|frame| frame["type"] == "publish").count();
    }
    assert_eq!(at_once + later, 100);
}

#[test]
fn too_many_waiting_publishes_and_too_large_ones_are_refused_at_once() {
    let mut tab = Tab::connected();
    let full = (0..400)
        .map(|id| tab.publish(id))
        .filter(|actions| matches!(&actions[..], [Action::Settle(_, Outcome::QueueFull)]));
    assert_eq!(full.count(), 400 - 25 - 256);
    let payload = json!({"text": "x".repeat(MESSAGE_BYTES)}).as_object().cloned().unwrap_or_default();
    let channel = CHANNEL.parse().expect("a channel");
    let refused = tab.on(Event::Publish { id: PublishId(500), channel, payload });
    assert!(
        matches!(&refused[..], [Action::Settle(_, Outcome::Refused(failure))] if failure.code == Code::MessageTooLarge)
    );
}

#[test]
fn a_subscription_the_server_had_no_time_for_is_tried_again() {
    let mut tab = Tab::connected();
    tab.subscribe(ONE, CHANNEL, Own::Hear, None);
    assert!(tab.fail("s1", "RATE_LIMIT_EXCEEDED", json!({"retryAfterMs": 700})).is_empty());
    assert_eq!(sent(&tab.wait())[0]["requestId"], json!("s2"));
    assert_eq!(tab.now, Duration::from_millis(700));
    assert!(matches!(&tab.fail("s2", "TOO_MANY_SUBSCRIPTIONS", Value::Null)[..], [Action::Refused(_)]));
}

#[test]
fn the_cluster_mode_comes_with_the_welcome_and_follows() {
    let mut tab = Tab::connected();
    let welcome = json!({"type": "welcome", "data": {"message": "", "timestamp": "", "clusterMode": true}});
    assert_eq!(tab.hear(welcome), [Action::ClusterMode(true)]);
    let cluster = tab.hear(json!({"type": "cluster", "data": {"clusterMode": false}}));
    assert_eq!(cluster, [Action::ClusterMode(false)]);
}

#[test]
fn what_a_newer_server_says_is_passed_over() {
    let mut tab = Tab::connected();
    assert!(tab.hear(json!({"type": "fireworks"})).is_empty());
    assert!(tab.on(Event::Text("no JSON".into())).is_empty());
}
