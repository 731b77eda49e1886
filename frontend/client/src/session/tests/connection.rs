//! How a connection is watched, lost, left and opened again.

use serde_json::json;

use super::{super::*, tab::*};

#[test]
fn silence_is_asked_about_and_then_believed() {
    let mut tab = Tab::connected();
    assert_eq!(sent(&tab.wait()), [json!({"type": "ping"})]);
    assert_eq!(tab.now, Duration::from_secs(25));
    tab.hear(json!({"type": "pong", "data": {"timestamp": ""}}));
    assert_eq!(sent(&tab.wait()), [json!({"type": "ping"})]);
    let dead = tab.wait();
    assert_eq!(tab.now, Duration::from_mins(1));
    assert_eq!(dead, [Action::Disconnect, Action::State(State::Reconnecting), Action::Connect]);
}

#[test]
fn a_page_seen_again_asks_at_once_and_waits_less() {
    let mut tab = Tab::connected();
    assert_eq!(sent(&tab.on(Event::Encouraged)), [json!({"type": "ping"})]);
    assert!(tab.on(Event::Encouraged).is_empty());
    assert_eq!(tab.wait().first(), Some(&Action::Disconnect));
    assert_eq!(tab.now, Duration::from_secs(3));
}

#[test]
fn a_network_that_is_gone_is_noticed_soon_and_hurries_nobody() {
    let mut tab = Tab::connected();
    assert_eq!(sent(&tab.on(Event::Discouraged)), [json!({"type": "ping"})]);
    assert_eq!(tab.wait().first(), Some(&Action::Disconnect));
    assert_eq!(tab.now, Duration::from_secs(3));
    tab.on(Event::Closed { code: 1006 });
    assert!(tab.on(Event::Discouraged).is_empty());
}

#[test]
fn a_network_that_is_back_ends_the_pause() {
    let mut tab = Tab::connected();
    tab.on(Event::Closed { code: 1006 });
    assert_eq!(tab.on(Event::Encouraged), [Action::Connect]);
}

#[test]
fn it_retries_for_ever_at_growing_intervals() {
    let mut tab = Tab::new();
    tab.on(Event::Started);
    let mut pauses = Vec::new();
    for _ in 0..40 {
        let before = tab.now;
        tab.on(Event::Closed { code: 1006 });
        assert_eq!(tab.wait(), [Action::Connect]);
        pauses.push(tab.now.abs_diff(before).as_millis());
    }
    assert_eq!(pauses[..8], [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    tab.on(Event::Opened);
    tab.hear(json!({"type": "pong", "data": {"timestamp": ""}}));
    let before = tab.now;
    tab.on(Event::Closed { code: 1006 });
    tab.wait();
    assert_eq!(tab.now.abs_diff(before).as_millis(), 500);
}

#[test]
fn a_socket_that_never_opens_is_given_up() {
    let mut tab = Tab::new();
    tab.on(Event::Started);
    assert_eq!(tab.wait(), [Action::Disconnect]);
    assert_eq!(tab.wait(), [Action::Connect]);
}

#[test]
fn a_final_code_ends_it() {
    for code in [close::SESSION_EXPIRED, close::FORBIDDEN] {
        let mut tab = Tab::connected();
        tab.publish(1);
        let actions = tab.on(Event::Closed { code });
        assert!(actions.contains(&Action::State(State::Stopped)));
        assert!(actions.contains(&Action::Settle(PublishId(1), Outcome::ConnectionLost)));
        assert_eq!(tab.session.wake_at(), None);
        assert!(tab.on(Event::Encouraged).is_empty());
    }
}

#[test]
fn a_draining_server_is_left_and_given_the_time_it_asked_for() {
    let mut tab = Tab::connected();
    tab.hear(json!({"type": "drain", "data": {"retryAfterMs": 1_000, "spreadMs": 4_000}}));
    tab.on(Event::Closed { code: close::RESTART });
    assert!(tab.on(Event::Encouraged).is_empty());
    assert_eq!(tab.wait(), [Action::Connect]);
    assert_eq!(tab.now, Duration::from_secs(5));
}

#[test]
fn a_draining_server_that_never_closes_is_left_all_the_same() {
    let mut tab = Tab::connected();
    tab.hear(json!({"type": "drain", "data": {"retryAfterMs": 1_000, "spreadMs": 0}}));
    assert_eq!(tab.wait(), [Action::Disconnect, Action::State(State::Reconnecting), Action::Connect]);
}
