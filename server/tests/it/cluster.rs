//! Two instances on one Redis.

use std::{sync::Arc, time::Duration};

use app::{
    pace::{Batch, Throttle},
    ports::Publisher,
};
use serde_json::{Value, json};
use server::config::Config;

use super::kit::{instance::Running, redis::Redis, until};

const CHANGED: &str = "view:it:list:changed";

fn config(redis: &Redis, instance: &str) -> Config {
    let mut config = Config { redis: redis.config(), ..Config::default() };
    config.site.instance = instance.into();
    config
}

async fn pair(redis: &Redis) -> (Running, Running) {
    (Running::start(config(redis, "0")).await, Running::start(config(redis, "1")).await)
}

async fn publish(instance: &Running, body: Value) -> Value {
    let url = instance.url(&format!("/api/1/app-cluster/broadcast/{CHANGED}"));
    reqwest::Client::new().post(url).json(&body).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_change_on_one_instance_reaches_a_browser_on_the_other() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    assert_ne!(left.id, right.id);
    let mut browser = right.open_browser().await;
    let begin = browser.subscribe(CHANGED).await;
    let receipt = publish(&left, json!({ "data": { "added": 1 }, "uuid": "somebody" })).await;
    assert_eq!(receipt["success"], true, "{receipt}");
    assert_eq!(receipt["data"]["epoch"], begin["epoch"]);
    assert_eq!(receipt["data"]["offset"], 1);
    assert!(receipt["data"].get("fallback").is_none());
    let frame = browser.next().await;
    assert_eq!(frame["data"]["data"]["id"], receipt["data"]["id"]);
    assert_eq!(frame["data"]["data"]["data"], json!({ "added": 1, "uuid": "somebody" }));
}

#[tokio::test]
async fn a_browser_resumes_on_the_other_instance_with_exactly_what_it_missed() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let mut browser = left.open_browser().await;
    let begin = browser.subscribe(CHANGED).await;
    drop(browser);
    for number in 0..100 {
        publish(&left, json!({ "data": { "number": number } })).await;
    }
    let mut browser = right.open_browser().await;
    let resumed = browser
        .subscribe_with(json!({ "channel": CHANGED, "since": { "epoch": begin["epoch"], "offset": begin["offset"] } }))
        .await;
    assert_eq!(resumed["recovered"], true);
    for number in 0..100 {
        assert_eq!(browser.next_data().await["number"], number);
    }
    browser.expect_nothing().await;
}

#[tokio::test]
async fn an_entry_of_a_log_that_nobody_can_read_is_a_gap_and_no_end() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let mut browser = right.open_browser().await;
    browser.subscribe(CHANGED).await;
    publish(&left, json!({ "data": { "number": 1 } })).await;
    assert_eq!(browser.next_data().await["number"], 1);
    redis.command(&format!("XADD jpulse:dev:log:{{{CHANGED}}} * m nonsense i x"));
    redis.command(&format!("HINCRBY jpulse:dev:pos:{{{CHANGED}}} offset 1"));
    publish(&left, json!({ "data": { "number": 2 } })).await;
    assert_eq!(browser.next().await["data"]["type"], "gap");
    publish(&left, json!({ "data": { "number": 3 } })).await;
    assert_eq!(browser.next_data().await["number"], 3);
}

#[tokio::test]
async fn data_that_others_could_not_read_is_refused_and_the_channel_goes_on() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let mut browser = right.open_browser().await;
    browser.subscribe(CHANGED).await;
    // What serde_json makes of this is 127 levels deep and more.
    let hidden = format!("{}{}", "[".repeat(126), "]".repeat(126));
    let refused = publish(&left, json!({ "data": { "a": { "$serde_json::private::RawValue": hidden } } })).await;
    assert_eq!(refused["code"], "INVALID_DATA", "{refused}");
    publish(&left, json!({ "data": { "number": 1 } })).await;
    assert_eq!(browser.next_data().await["number"], 1);
}

#[tokio::test]
async fn a_wildcard_resumes_on_the_other_instance_in_old_channels_and_in_new_ones() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    publish(&left, json!({ "data": { "number": 1 } })).await;
    let mut browser = left.open_browser().await;
    let begin = browser.subscribe("view:it:*").await;
    publish(&left, json!({ "data": { "number": 2 } })).await;
    let seen = browser.next().await["data"]["data"].clone();
    let mut positions = begin["positions"].clone();
    positions[CHANGED] = json!({ "epoch": seen["epoch"], "offset": seen["offset"] });
    drop(browser);
    publish(&left, json!({ "data": { "number": 3 } })).await;
    let url = left.url("/api/1/app-cluster/broadcast/view:it:other:one");
    let body = json!({ "data": { "number": 4 } });
    assert!(reqwest::Client::new().post(url).json(&body).send().await.unwrap().status().is_success());
    let mut browser = right.open_browser().await;
    let resumed = browser.subscribe_with(json!({ "channel": "view:it:*", "positions": positions })).await;
    assert_eq!(resumed["recovered"], true, "{resumed}");
    assert_eq!(browser.next_data().await["number"], 3);
    assert_eq!(browser.next_data().await["number"], 4);
    browser.expect_nothing().await;
    publish(&left, json!({ "data": { "number": 5 } })).await;
    assert_eq!(browser.next_data().await["number"], 5);
}

#[tokio::test]
async fn omit_self_follows_the_tab_to_the_other_instance() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let mut browser = right.open_browser().await;
    browser.subscribe_with(json!({ "channel": CHANGED, "omitSelf": true })).await;
    publish(&left, json!({ "data": { "from": "self" }, "uuid": browser.uuid })).await;
    publish(&left, json!({ "data": { "from": "other" }, "uuid": "other" })).await;
    assert_eq!(browser.next_data().await["from"], "other");
}

#[tokio::test]
async fn a_nodejs_instance_is_heard_and_its_address_is_not_passed_on() {
    let redis = Redis::start();
    let right = Running::start(config(&redis, "1")).await;
    let mut browser = right.open_browser().await;
    browser.subscribe_with(json!({ "channel": CHANGED, "omitSelf": true })).await;
    let own = json!({ "channel": CHANGED, "data": { "uuid": browser.uuid }, "instanceId": "web:0", "timestamp": 1 });
    redis.publish(&format!("jpulse:dev:bc:{CHANGED}"), &own.to_string());
    let message = json!({
        "channel": CHANGED,
        "data": { "n": 1, "uuid": "node-tab", "ctx": { "username": "jane", "ip": "10.0.0.7", "vm": 3 } },
        "instanceId": "web:0",
        "timestamp": 1_700_000_000_000_u64,
    });
    redis.publish(&format!("jpulse:dev:bc:{CHANGED}"), &message.to_string());
    let frame = browser.next().await;
    assert_eq!(frame["data"]["data"]["data"], json!({ "n": 1, "uuid": "node-tab" }));
    assert_eq!(frame["data"]["ctx"], json!({ "username": "jane" }));
    assert_eq!(frame["data"]["data"]["timestamp"], "2023-11-14T22:13:20.000Z");
    assert!(!frame.to_string().contains("10.0.0.7"));
}

#[tokio::test]
async fn callbacks_of_the_server_hear_the_other_instance_and_by_layer_themselves() {
    use std::sync::{Arc, Mutex};
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    for pattern in ["controller:it:*", "view:it:*"] {
        let heard = Arc::clone(&heard);
        left.ports.cluster.register_broadcast_callback(
            pattern.parse().unwrap(),
            app::ports::CallbackOptions::default(),
            Box::new(move |message| {
                heard.lock().unwrap().push((message.channel.to_string(), message.instance_id.to_string()));
            }),
        );
    }
    // Registered when its first message arrives.
    until("callbacks are registered", async || {
        let probe = "view:it:probe:probe".parse().unwrap();
        right.ports.cluster.publish_broadcast(&probe, serde_json::Map::new(), Publisher::default()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let controller = "controller:it:probe:probe".parse().unwrap();
        right.ports.cluster.publish_broadcast(&controller, serde_json::Map::new(), Publisher::default()).await.unwrap();
        let heard = heard.lock().unwrap();
        heard.iter().any(|(on, _)| on.starts_with("view:")) && heard.iter().any(|(on, _)| on.starts_with("controller:"))
    })
    .await;
    heard.lock().unwrap().clear();
    for name in ["controller:it:cache:refresh", "view:it:own:heard"] {
        for instance in [&left, &right] {
            let on = name.parse().unwrap();
            instance.ports.cluster.publish_broadcast(&on, serde_json::Map::new(), Publisher::default()).await.unwrap();
        }
    }
    let expected = [
        ("controller:it:cache:refresh".to_owned(), right.id.clone()),
        ("view:it:own:heard".to_owned(), left.id.clone()),
        ("view:it:own:heard".to_owned(), right.id.clone()),
    ];
    until("all three are heard", async || {
        let heard = heard.lock().unwrap();
        let late: Vec<_> = heard.iter().filter(|(on, _)| !on.contains("probe")).cloned().collect();
        late == expected
    })
    .await;
}

#[tokio::test]
async fn a_graceful_stop_gives_the_instance_id_back() {
    let redis = Redis::start();
    let instance = Running::start(config(&redis, "7")).await;
    let key = format!("jpulse:dev:instance:{}", instance.id);
    assert_eq!(redis.command(&format!("EXISTS {key}")), ":1\r\n");
    let second = Running::start(config(&redis, "7")).await;
    assert_eq!(second.id, format!("{}:{}", instance.id, std::process::id()));
    instance.stop().await;
    assert_eq!(redis.command(&format!("EXISTS {key}")), ":0\r\n");
}

#[tokio::test]
async fn a_throttle_publishes_few_values_and_the_last_of_all() {
    let instance = Running::start(Config::default()).await;
    let mut browser = instance.open_browser().await;
    browser.subscribe(CHANGED).await;
    let every = Duration::from_millis(300);
    let throttle = Throttle::new(Arc::clone(&instance.ports.cluster), CHANGED.parse().unwrap(), every);
    for number in 0..100 {
        throttle.publish(json!({ "number": number }).as_object().cloned().unwrap());
    }
    let mut seen = 1;
    while browser.next_data().await["number"] != 99 {
        seen += 1;
    }
    assert!(seen <= 2, "{seen} broadcasts");
    throttle.publish(json!({ "number": 100 }).as_object().cloned().unwrap());
    assert_eq!(browser.next_data().await["number"], 100);
}

#[tokio::test]
async fn a_batch_publishes_every_change_in_order_in_few_broadcasts() {
    let instance = Running::start(Config::default()).await;
    let mut browser = instance.open_browser().await;
    browser.subscribe(CHANGED).await;
    let within = Duration::from_millis(50);
    let batch = Batch::new(Arc::clone(&instance.ports.cluster), CHANGED.parse().unwrap(), within);
    for number in 0..250 {
        batch.push(json!(number));
    }
    let (mut changes, mut broadcasts) = (Vec::new(), 0);
    while changes.len() < 250 {
        changes.extend(browser.next_data().await["changes"].as_array().unwrap().clone());
        broadcasts += 1;
    }
    assert_eq!(changes, (0..250).map(Value::from).collect::<Vec<_>>());
    assert!(broadcasts <= 5, "{broadcasts} broadcasts");
}
