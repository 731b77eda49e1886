//! Logs, positions and indexes that Redis evicts to make room: at worst a gap, never a wrong answer.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use server::{
    bus::{Attempt, Bus, Link, RedisBus},
    config::RedisConfig,
};
use tokio::time::{sleep, timeout};
use wire::Message;

use super::{
    kit::{
        SOON,
        browser::{Browser, Seen},
        instance::Running,
        redis::Redis,
        until,
    },
    sessions::{config, pair},
};

const NEWS: &str = "view:it:news:published";

async fn publish(instance: &Running, channel: &str, number: u64) -> Value {
    let url = instance.url(&format!("/api/1/app-cluster/broadcast/{channel}"));
    let body = json!({ "data": { "n": number } }).to_string();
    let request = reqwest::Client::new().post(url).header("content-type", "application/json").body(body);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["success"], true, "{answer}");
    answer["data"].clone()
}

/// What a browser gets until the message with this number, or a gap: the numbers, and whether there was a gap.
async fn read_until(browser: &mut Browser, last: u64) -> (Vec<u64>, bool) {
    let mut numbers = Vec::new();
    loop {
        let frame = browser.next().await;
        match frame["data"]["type"].as_str() {
            Some("broadcast") => numbers.push(frame["data"]["data"]["data"]["n"].as_u64().unwrap()),
            Some("gap") => return (numbers, true),
            _ => assert_eq!(frame["data"]["type"], "cluster", "{frame}"),
        }
        if numbers.last() == Some(&last) {
            return (numbers, false);
        }
    }
}

/// Comes back with a position: what was missed, or `None` when the browser is told that some of it is lost.
async fn resume(instance: &Running, pattern: &str, since: &Value, last: u64) -> Option<Vec<u64>> {
    let mut browser = instance.open_browser().await;
    let answer = browser.subscribe_with(json!({ "channel": pattern, "since": since })).await;
    if answer["recovered"] != true {
        return None;
    }
    let (numbers, has_gap) = read_until(&mut browser, last).await;
    (!has_gap).then_some(numbers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_is_evicted_while_its_log_stays_holds_nobody_up_and_hides_nothing() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let mut browser = right.open_browser().await;
    browser.subscribe(NEWS).await;
    let mut since = Value::Null;
    for number in 1..=3 {
        let receipt = publish(&left, NEWS, number).await;
        if number == 1 {
            since = json!({ "epoch": receipt["epoch"], "offset": receipt["offset"] });
        }
    }
    assert_eq!(read_until(&mut browser, 3).await, (vec![1, 2, 3], false));
    redis.command(&format!("DEL jpulse:dev:pos:{{{NEWS}}}"));
    for number in 4..=6 {
        let receipt = publish(&left, NEWS, number).await;
        assert!(receipt["fallback"].is_null(), "{receipt}");
    }
    let (numbers, has_gap) = read_until(&mut browser, 6).await;
    assert!(has_gap || numbers == [4, 5, 6], "{numbers:?}");
    for instance in [&left, &right] {
        let missed = resume(instance, NEWS, &since, 6).await;
        assert!(missed.is_none() || missed.as_deref() == Some(&[2, 3, 4, 5, 6]), "{missed:?}");
    }
    let other = publish(&left, "view:it:other:published", 1).await;
    assert!(other["fallback"].is_null(), "{other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_evicted_while_its_position_stays_is_never_taken_for_whole() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let mut browser = right.open_browser().await;
    browser.subscribe(NEWS).await;
    let mut since = Value::Null;
    for number in 1..=3 {
        let receipt = publish(&left, NEWS, number).await;
        if number == 1 {
            since = json!({ "epoch": receipt["epoch"], "offset": receipt["offset"] });
        }
    }
    redis.command(&format!("DEL jpulse:dev:log:{{{NEWS}}}"));
    for number in 4..=6 {
        let receipt = publish(&left, NEWS, number).await;
        assert!(receipt["fallback"].is_null(), "{receipt}");
    }
    assert_eq!(read_until(&mut browser, 6).await, (vec![1, 2, 3, 4, 5, 6], false));
    // An instance that heard nothing of it has the log alone to ask.
    let late = Running::start(config(redis.config(), "2")).await;
    let missed = resume(&late, NEWS, &since, 6).await;
    assert!(missed.is_none() || missed.as_deref() == Some(&[2, 3, 4, 5, 6]), "{missed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wildcard_that_comes_back_misses_nothing_because_an_index_was_evicted() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let (wildcard, known, new) = ("view:it:news:*", "view:it:news:a", "view:it:news:b");
    publish(&left, known, 1).await;
    let since = right.open_browser().await.subscribe(wildcard).await["positions"].clone();
    assert!(since[known].is_object(), "{since}");
    publish(&left, new, 2).await;
    let index = "jpulse:dev:channels:view:it";
    redis.command(&format!("DEL {index}"));
    until("it is made again", async || redis.command(&format!("ZCARD {index}")) == ":2\r\n").await;
    // One that never listened there.
    let late = Running::start(config(redis.config(), "2")).await;
    let mut browser = late.open_browser().await;
    let answer = browser.subscribe_with(json!({ "channel": wildcard, "positions": since })).await;
    assert_eq!(answer["recovered"], true, "{answer}");
    assert_eq!(browser.next_data().await["n"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_tried_again_after_its_position_was_evicted_holds_nobody_up() {
    let redis = Redis::start();
    let (bus, mut inbox) = RedisBus::start(&redis.config(), "it:dev:".into()).unwrap();
    timeout(SOON, bus.link().wait_for(|link| *link == Link::Up)).await.unwrap().unwrap();
    tokio::spawn(async move { while inbox.recv().await.is_some() {} });
    let message = |number: u64| {
        Arc::new(Message {
            channel: NEWS.parse().unwrap(),
            data: json!({ "n": number }).as_object().unwrap().clone(),
            instance_id: "it:0".into(),
            timestamp: 1_700_000_000_000,
            id: Some(format!("message-{number}").into()),
            position: None,
            uuid: None,
            source: None,
            username: String::new(),
        })
    };
    for number in 1..=3 {
        bus.publish(&[message(number)], Attempt::First).await.unwrap();
    }
    redis.command(&format!("DEL it:dev:pos:{{{NEWS}}}"));
    bus.publish(&[message(4)], Attempt::First).await.unwrap();
    for number in [1, 3, 4, 5] {
        let again = bus.publish(&[message(number)], Attempt::Again).await;
        assert!(again.is_ok(), "message {number}: {again:?}");
    }
}

/// Publishes while Redis evicts, and holds what a listener got against what was published.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_evicts_under_load_loses_nothing_without_a_gap() {
    const CHANNELS: u64 = 10;
    const ROUNDS: u64 = 60;
    let redis = Redis::start_with(&["--maxmemory", "6mb", "--maxmemory-policy", "allkeys-lru"]);
    let start = |instance: &'static str, redis: RedisConfig| Running::start(config(redis, instance));
    let (left, right) = tokio::join!(start("0", redis.config()), start("1", redis.config()));
    let channel = |number: u64| format!("view:it:news:c{number}");
    let mut browser = right.open_browser().await;
    for number in 0..CHANNELS {
        browser.subscribe(&channel(number)).await;
    }
    let mut first: BTreeMap<u64, Value> = BTreeMap::new();
    for round in 1..=ROUNDS {
        let fill = format!(
            "EVAL \"for i=1,1000 do redis.call('set','junk:{round}:'..i,string.rep('x',1000)) end return 1\" 0"
        );
        redis.command(&fill);
        for number in 0..CHANNELS {
            // Some of them quiet, so that they are evicted.
            if round == 1 || round == ROUNDS || round % (number + 1) == 0 {
                let receipt = publish(&left, &channel(number), round).await;
                first
                    .entry(number)
                    .or_insert_with(|| json!({ "epoch": receipt["epoch"], "offset": receipt["offset"] }));
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
    let evicted = redis.command("INFO stats");
    assert!(!evicted.contains("evicted_keys:0\r"), "nothing was evicted");
    let mut seen: BTreeMap<String, (Vec<u64>, bool)> = BTreeMap::new();
    browser.send(json!({ "type": "ping" })).await;
    loop {
        let Seen::Frame(frame) = browser.see().await else { panic!("the socket stays") };
        let of = frame["data"]["data"]["channel"].as_str().unwrap_or_default().to_owned();
        match frame["data"]["type"].as_str() {
            Some("broadcast") => {
                seen.entry(of).or_default().0.push(frame["data"]["data"]["data"]["n"].as_u64().unwrap());
            }
            Some("gap") => seen.entry(of).or_default().1 = true,
            Some("pong")
                if (0..CHANNELS).all(|number| {
                    seen.get(&channel(number))
                        .is_some_and(|(numbers, has_gap)| *has_gap || numbers.last() == Some(&ROUNDS))
                }) =>
            {
                break;
            }
            Some("pong") => {
                sleep(Duration::from_millis(20)).await;
                browser.send(json!({ "type": "ping" })).await;
            }
            _ => {}
        }
    }
    for number in 0..CHANNELS {
        let published: Vec<u64> =
            (1..=ROUNDS).filter(|round| *round == 1 || *round == ROUNDS || round % (number + 1) == 0).collect();
        let (numbers, has_gap) = &seen[&channel(number)];
        assert!(*has_gap || *numbers == published, "channel {number}: {numbers:?}");
        assert!(numbers.is_sorted_by(|one, next| one < next), "channel {number}: {numbers:?}");
        let missed = resume(&left, &channel(number), &first[&number], ROUNDS).await;
        assert!(missed.is_none() || missed.as_deref() == Some(&published[1..]), "channel {number}: {missed:?}");
    }
}
