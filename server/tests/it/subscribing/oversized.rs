//! A message larger than browsers are given costs nobody a socket.

use serde_json::{Value, json};

use super::super::kit::{browser::Browser, events::Events, instance::Running, redis::Redis, tab::Tab};
use super::{NEWS, next, pair, publish};

const EMOJI: &str = "/api/1/ws/hello-emoji";
/// More than a frame may have.
const LARGE: usize = 1_200_000;

/// What an instance on Node.js publishes.
fn from_node_js(channel: &str, text_bytes: usize) -> String {
    let data = json!({ "text": "x".repeat(text_bytes), "number": 2 });
    json!({ "channel": channel, "data": data, "instanceId": "web-1-99", "timestamp": 1_700_000_000_000_u64 })
        .to_string()
}

async fn metric(instance: &Running, name: &str) -> f64 {
    let text = reqwest::get(instance.url("/metrics")).await.unwrap().text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name} in {text}"));
    line.trim().parse().unwrap()
}

async fn gap(browser: &mut Browser) -> Value {
    let frame = browser.next().await;
    assert_eq!(frame["data"]["type"], "gap", "{frame:.300}");
    frame["data"]["data"]["channel"].clone()
}

#[tokio::test]
async fn a_message_of_a_node_js_instance_above_1_mib_is_a_gap_and_closes_no_socket() {
    let redis = Redis::start();
    let instances = pair(&redis).await;
    let [left, right] = &instances;
    let mut browsers = [right.open_browser().await, left.open_browser().await];
    for browser in &mut browsers {
        browser.subscribe(NEWS).await;
    }
    let mut above = right.open_browser().await;
    above.subscribe("view:it:*").await;
    let mut events = Events::hear(right.address, &format!("channel={NEWS}"), &[]).await;
    events.subscribed().await;
    let mut at = publish(left, NEWS, 1).await;
    let mut elsewhere = right.open_browser().await;
    elsewhere.subscribe("view:it:other:channel").await;
    for browser in browsers.iter_mut().chain([&mut above]) {
        assert_eq!(next(browser).await.1, 1);
    }
    assert_eq!(events.next_data().await["number"], 1);

    // One that is far too large, and one that is so only as a frame.
    for (round, text_bytes) in [(1, LARGE), (2, 1024 * 1024 - 160)] {
        let large = from_node_js(NEWS, text_bytes);
        redis.publish(&format!("jpulse:dev:bc:{NEWS}"), &large);
        let position = publish(left, NEWS, 3).await;
        for browser in browsers.iter_mut().chain([&mut above]) {
            assert_eq!(gap(browser).await, NEWS);
            assert_eq!(next(browser).await.1, 3);
        }
        assert_eq!(events.next().await["data"]["type"], "gap");
        assert_eq!(events.last_id, format!("{}:{}", at["epoch"].as_str().unwrap(), at["offset"]));
        assert_eq!(events.next_data().await["number"], 3);
        elsewhere.expect_nothing().await;
        for instance in &instances {
            let dropped = metric(instance, "jpulse_drops_total{cause=\"too_large\"}").await;
            assert!(dropped >= f64::from(round), "{dropped} counted in round {round}");
        }
        // It is in no log: who comes back from before the last message gets that one, and nothing is missing.
        let mut back = left.open_browser().await;
        let resumed = back.subscribe_with(json!({ "channel": NEWS, "since": at })).await;
        assert_eq!(resumed["recovered"], true);
        assert_eq!(next(&mut back).await.1, 3);
        at = position;
    }
}

#[tokio::test]
async fn a_message_to_an_endpoint_above_1_mib_closes_no_socket() {
    let redis = Redis::start();
    let [left, right] = pair(&redis).await;
    let mut tabs = [Tab::open(left.address, EMOJI).await, Tab::open(right.address, EMOJI).await];
    for text_bytes in [LARGE, 1024 * 1024 - 160] {
        let data = json!({ "text": "x".repeat(text_bytes) });
        let message = json!({ "endpoint": "hello-emoji", "data": data, "sourceInstance": "web-1-99" });
        redis.publish("jpulse:dev:ws:hello-emoji:broadcast", &message.to_string());
    }
    let message = json!({ "endpoint": "hello-emoji", "data": { "emoji": "x" }, "sourceInstance": "web-1-99" });
    redis.publish("jpulse:dev:ws:hello-emoji:broadcast", &message.to_string());
    for tab in &mut tabs {
        assert_eq!(tab.next_message().await, json!({ "emoji": "x" }));
    }
}
