//! One instance's relay, as a browser sees it.

use serde_json::{Value, json};
use server::config::{ChannelConfig, ChannelPolicy, Config};

use super::kit::{browser::Seen, instance::Running};

const NEWS: &str = "view:it:news:published";

async fn start() -> Running {
    let mut config = Config::default();
    config.limits.socket_messages = 1_000;
    Running::start(config).await
}

#[tokio::test]
async fn a_subscriber_gets_what_is_published_once_with_its_position() {
    let instance = start().await;
    let (mut publisher, mut subscriber) = (instance.open_browser().await, instance.open_browser().await);
    let begin = subscriber.subscribe(NEWS).await;
    subscriber.subscribe("view:it:*").await;
    publisher.send(json!({ "type": "publish", "channel": NEWS, "data": { "n": 1 }, "requestId": 7 })).await;
    let receipt = publisher.next().await;
    assert_eq!(receipt["requestId"], 7);
    assert_eq!(receipt["data"]["data"]["offset"], 1);
    let frame = subscriber.next().await;
    let data = &frame["data"]["data"];
    assert_eq!(data["data"], json!({ "n": 1, "uuid": publisher.uuid }));
    assert_eq!((&data["epoch"], &data["offset"]), (&begin["epoch"], &json!(1)));
    assert_eq!(data["id"], receipt["data"]["data"]["id"]);
    subscriber.expect_nothing().await;
}

#[tokio::test]
async fn what_one_browser_publishes_without_waiting_keeps_its_order() {
    let instance = start().await;
    let (mut publisher, mut subscriber) = (instance.open_browser().await, instance.open_browser().await);
    subscriber.subscribe(NEWS).await;
    for n in 0..500 {
        publisher.send(json!({ "type": "publish", "channel": NEWS, "data": { "n": n }, "requestId": n })).await;
    }
    for n in 0..500 {
        assert_eq!(publisher.next().await["requestId"], n);
        assert_eq!(subscriber.next().await["data"]["data"]["data"]["n"], n);
    }
}

#[tokio::test]
async fn a_slow_browser_gets_the_latest_of_each_topic_where_only_that_matters() {
    const COUNT: u64 = 20_000;
    let mut config = Config::default();
    config.limits.socket_messages = 1_000_000;
    config.limits.queue_messages = 64;
    let pattern = "view:it:cursor:*".parse().unwrap();
    config.channels.push(ChannelConfig { pattern, policy: ChannelPolicy::Latest, key: "who".into() });
    let instance = Running::start(config).await;
    let (mut publisher, mut subscriber) = (instance.open_browser().await, instance.open_browser().await);
    subscriber.subscribe("view:it:cursor:moved").await;
    let filling = "x".repeat(1_000);
    for n in 0..COUNT {
        let data = json!({ "who": n % 3, "n": n, "filling": filling });
        publisher.send(json!({ "type": "publish", "channel": "view:it:cursor:moved", "data": data })).await;
        publisher.next().await;
    }
    let (mut seen, mut latest) = (0, [0; 3]);
    while latest.iter().sum::<u64>() < (COUNT - 3..COUNT).sum() {
        let data = subscriber.next_data().await;
        let (who, n) = (data["who"].as_u64().unwrap(), data["n"].as_u64().unwrap());
        let before = std::mem::replace(&mut latest[usize::try_from(who).unwrap()], n);
        assert!(n >= before, "{n} came after {before}");
        seen += 1;
    }
    assert!(seen < COUNT, "the socket's buffers took everything: nothing was slow");
}

#[tokio::test]
async fn an_unsubscribed_socket_hears_nothing() {
    let instance = start().await;
    let (mut publisher, mut subscriber) = (instance.open_browser().await, instance.open_browser().await);
    subscriber.subscribe(NEWS).await;
    subscriber.send(json!({ "type": "unsubscribe", "channel": NEWS })).await;
    assert_eq!(subscriber.next().await["data"]["type"], "unsubscribed");
    publisher.send(json!({ "type": "publish", "channel": NEWS, "data": {} })).await;
    assert_eq!(publisher.next().await["data"]["type"], "published");
    subscriber.expect_nothing().await;
}

#[tokio::test]
async fn a_tab_that_omits_itself_does_not_hear_itself() {
    let instance = start().await;
    let mut browser = instance.open_browser().await;
    browser.subscribe_with(json!({ "channel": NEWS, "omitSelf": true })).await;
    browser.send(json!({ "type": "publish", "channel": NEWS, "data": {} })).await;
    assert_eq!(browser.next().await["data"]["type"], "published");
    browser.expect_nothing().await;
}

#[tokio::test]
async fn an_unknown_position_is_never_called_recovered() {
    let instance = start().await;
    let mut browser = instance.open_browser().await;
    let begin = browser.subscribe(NEWS).await;
    for since in [json!({ "epoch": "another", "offset": 0 }), json!({ "epoch": begin["epoch"], "offset": 9 })] {
        let answer = browser.subscribe_with(json!({ "channel": NEWS, "since": since })).await;
        assert_eq!(answer["recovered"], false, "{since}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_answered_and_the_socket_stays() {
    let instance = start().await;
    let mut browser = instance.open_browser().await;
    let too_large =
        json!({ "type": "publish", "channel": NEWS, "data": { "x": "x".repeat(65_536) }, "requestId": "r" });
    let deep: Value = serde_json::from_str(&format!("{}{}", "[".repeat(64), "]".repeat(64))).unwrap();
    for (message, code) in [
        ("{".to_owned(), "INVALID_MESSAGE"),
        (json!({ "type": "dance" }).to_string(), "INVALID_MESSAGE"),
        (json!({ "type": "subscribe" }).to_string(), "INVALID_MESSAGE"),
        (json!({ "type": "subscribe", "channel": "view:short" }).to_string(), "INVALID_CHANNEL_NAME"),
        (json!({ "type": "subscribe", "channel": "model:a:b:c" }).to_string(), "FORBIDDEN_CHANNEL"),
        (json!({ "type": "subscribe", "channel": "controller:*" }).to_string(), "FORBIDDEN_CHANNEL"),
        (json!({ "type": "publish", "channel": "controller:a:b:c", "data": {} }).to_string(), "FORBIDDEN_CHANNEL"),
        (json!({ "type": "publish", "channel": NEWS, "data": 7 }).to_string(), "INVALID_DATA"),
        (json!({ "type": "publish", "channel": NEWS, "data": { "x": deep } }).to_string(), "INVALID_DATA"),
        (too_large.to_string(), "MESSAGE_TOO_LARGE"),
    ] {
        browser.send_text(&message).await;
        let answer = browser.next().await;
        assert_eq!((&answer["success"], &answer["code"]), (&json!(false), &json!(code)), "{message:.80}");
    }
    browser.expect_nothing().await;
}

#[tokio::test]
async fn a_socket_holds_at_most_256_subscriptions() {
    let instance = start().await;
    let mut browser = instance.open_browser().await;
    for number in 0..256 {
        browser.subscribe(&format!("view:it:many:n{number}")).await;
    }
    browser.send(json!({ "type": "subscribe", "channel": "view:it:many:n256" })).await;
    assert_eq!(browser.next().await["code"], "TOO_MANY_SUBSCRIPTIONS");
    browser.subscribe("view:it:many:n0").await;
}

#[tokio::test]
async fn too_many_messages_meet_one_notice_and_an_answer_for_each_request() {
    let instance = Running::start(Config::default()).await;
    let mut browser = instance.open_browser().await;
    for number in 0..60 {
        browser.send(json!({ "type": "ping", "requestId": number })).await;
    }
    let mut refused = 0;
    for number in 0..60 {
        let answer: Value = browser.next().await;
        assert_eq!(answer["requestId"], number);
        if answer["code"] == "RATE_LIMIT_EXCEEDED" {
            assert!(answer["details"]["retryAfterMs"].as_u64().unwrap() <= 1_000);
            refused += 1;
        }
    }
    assert_eq!(refused, 10);
}

#[tokio::test]
async fn a_frame_of_more_than_a_mebibyte_ends_the_connection() {
    let instance = start().await;
    let mut browser = instance.open_browser().await;
    browser.send_text(&"x".repeat(1024 * 1024 + 1)).await;
    match browser.see().await {
        Seen::Close(Some(close)) => assert_eq!(u16::from(close.code), 1009),
        other => panic!("expected a close, got {other:?}"),
    }
}

#[tokio::test]
async fn a_stop_sends_browsers_elsewhere() {
    let instance = start().await;
    let mut browser = instance.open_browser().await;
    let stopping = tokio::spawn(instance.stop());
    let drain = browser.next().await;
    assert_eq!(drain["data"]["type"], "drain");
    match browser.see().await {
        Seen::Close(Some(close)) => assert_eq!(u16::from(close.code), 1012),
        other => panic!("expected a close, got {other:?}"),
    }
    drop(browser);
    stopping.await.unwrap();
}
