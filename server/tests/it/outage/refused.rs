//! Redis refuses one channel, one key or one slot: nothing else waits for it, and nothing is lost when it is mended.

use std::time::Duration;

use serde_json::{Value, json};
use server::config::{Config, RedisConfig};

use super::super::kit::{
    browser::Browser, instance::Running, redis::Redis, redis_cluster::RedisCluster, until, until_within,
};

const PREFIX: &str = "jpulse:dev:";
const REFUSED: &str = "view:it:refused:changed";
const OTHER: &str = "view:it:other:changed";
/// How long a refused channel may take to be tried again: the pauses grow, the tests mend early.
const MENDED_WITHIN: Duration = Duration::from_secs(20);

async fn pair(redis: &RedisConfig) -> [Running; 2] {
    let config = |instance: &str| {
        let mut config = Config { redis: redis.clone(), ..Config::default() };
        config.site.instance = instance.into();
        config
    };
    let both = [Running::start(config("0")).await, Running::start(config("1")).await];
    until("both are linked", async || both.iter().all(|one| one.ports.cluster.is_redis_available())).await;
    both
}

/// The receipt.
async fn publish(instance: &Running, channel: &str, number: u64) -> Value {
    let url = instance.url(&format!("/api/1/app-cluster/broadcast/{channel}"));
    let body = json!({ "data": { "number": number } });
    let answer = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["data"].clone()
}

/// What a browser gets next, which is a message: neither a gap nor anything else.
async fn next_number(browser: &mut Browser) -> u64 {
    browser.next_data().await["number"].as_u64().unwrap()
}

/// Publishes on both channels while one is refused, mends it, and compares what the other instance got.
async fn one_waits_alone(both: &[Running; 2], refuse: impl AsyncFnOnce(), mend: impl AsyncFnOnce()) {
    let [left, right] = both;
    let (mut there, mut beside) = (right.open_browser().await, right.open_browser().await);
    there.subscribe(REFUSED).await;
    beside.subscribe(OTHER).await;
    let first = publish(left, REFUSED, 1).await;
    assert!(first.get("fallback").is_none(), "{first}");
    assert_eq!(next_number(&mut there).await, 1);
    refuse().await;
    for number in 2..=6 {
        assert_eq!(publish(left, REFUSED, number).await["fallback"], true);
        let receipt = publish(left, OTHER, number).await;
        assert!(receipt.get("fallback").is_none(), "another channel does not wait: {receipt}");
        assert_eq!(next_number(&mut beside).await, number);
    }
    assert!(left.ports.cluster.is_redis_available());
    mend().await;
    let waits = async || left.metrics.record().traffic.outbox > 0;
    until_within(MENDED_WITHIN, "nothing waits any more", async || !waits().await).await;
    for number in 2..=6 {
        assert_eq!(next_number(&mut there).await, number);
    }
    let last = publish(left, REFUSED, 7).await;
    assert_eq!(last["offset"].as_u64(), first["offset"].as_u64().map(|offset| offset + 6), "no offset is burned");
    assert_eq!(last["epoch"], first["epoch"]);
    assert_eq!(next_number(&mut there).await, 7);
    there.expect_nothing().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_the_wrong_type_holds_up_its_own_channel_alone() {
    let redis = Redis::start();
    let both = pair(&redis.config()).await;
    let log = format!("{PREFIX}log:{{{REFUSED}}}");
    let refuse = async || {
        redis.command(&format!("RENAME {log} aside"));
        redis.command(&format!("SET {log} junk"));
    };
    let mend = async || {
        redis.command(&format!("RENAME aside {log}"));
    };
    one_waits_alone(&both, refuse, mend).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_of_the_wrong_type_holds_up_its_own_channel_alone() {
    let redis = Redis::start();
    let both = pair(&redis.config()).await;
    let position = format!("{PREFIX}pos:{{{REFUSED}}}");
    let refuse = async || {
        redis.command(&format!("RENAME {position} aside"));
        redis.command(&format!("SET {position} junk"));
    };
    let mend = async || {
        redis.command(&format!("RENAME aside {position}"));
    };
    one_waits_alone(&both, refuse, mend).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_stays_half_migrated_holds_up_its_own_channels_alone() {
    let cluster = RedisCluster::start().await;
    let both = pair(&cluster.config(&[0, 1, 2])).await;
    let from = cluster.keeper(PREFIX, REFUSED);
    let beside = cluster.keeper(PREFIX, OTHER);
    let to = cluster.primaries().into_iter().find(|node| *node != from).unwrap();
    assert_ne!((from, to), (beside, beside));
    let refuse = async || {
        cluster.begin_to_move_slot(PREFIX, REFUSED, from, to);
        cluster.migrate(&format!("{PREFIX}pos:{{{REFUSED}}}"), from, to);
    };
    let mend = async || cluster.stop_moving_slot(PREFIX, REFUSED, from, to);
    one_waits_alone(&both, refuse, mend).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_may_not_append_burns_no_offset_and_loses_nothing() {
    let redis = Redis::start();
    let [left, right] = pair(&redis.config()).await;
    let mut there = right.open_browser().await;
    there.subscribe(REFUSED).await;
    for command in ["-xadd", "-zadd", "-publish", "-hset", "-pexpire"] {
        let first = publish(&left, REFUSED, 0).await;
        assert!(first.get("fallback").is_none(), "{command}: {first}");
        assert_eq!(next_number(&mut there).await, 0);
        redis.command(&format!("ACL SETUSER default {command}"));
        for number in 1..=3 {
            assert_eq!(publish(&left, REFUSED, number).await["fallback"], true, "{command}");
        }
        // Long enough for several tries.
        tokio::time::sleep(Duration::from_secs(2)).await;
        redis.command("ACL SETUSER default +@all");
        let waits = async || left.metrics.record().traffic.outbox > 0;
        until_within(MENDED_WITHIN, "nothing waits any more", async || !waits().await).await;
        for number in 1..=3 {
            let frame = loop {
                let frame = there.next().await;
                if frame["data"]["type"] != "cluster" {
                    break frame;
                }
            };
            assert_eq!(frame["data"]["data"]["data"]["number"], number, "{command}: {frame}");
        }
        let last = publish(&left, REFUSED, 4).await;
        assert_eq!(last["offset"].as_u64(), first["offset"].as_u64().map(|offset| offset + 4), "{command}");
        assert_eq!(next_number(&mut there).await, 4);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_that_was_evicted_is_read_from_the_log() {
    let redis = Redis::start();
    let [left, right] = pair(&redis.config()).await;
    let mut there = right.open_browser().await;
    there.subscribe(REFUSED).await;
    for number in 1..=3 {
        publish(&left, REFUSED, number).await;
        assert_eq!(next_number(&mut there).await, number);
    }
    redis.command(&format!("DEL {PREFIX}pos:{{{REFUSED}}}"));
    for number in 4..=6 {
        let receipt = publish(&left, REFUSED, number).await;
        assert_eq!((receipt.get("fallback"), receipt["offset"].as_u64()), (None, Some(number)));
        assert_eq!(next_number(&mut there).await, number);
    }
    // Retries look up ids by way of the log when those were evicted too.
    redis.command(&format!("DEL {PREFIX}ids:{{{REFUSED}}}"));
    assert_eq!(publish(&left, REFUSED, 7).await["offset"], 7);
    assert_eq!(next_number(&mut there).await, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_evicted_is_a_gap_for_who_needs_it_and_nothing_for_others() {
    let redis = Redis::start();
    let [left, right] = pair(&redis.config()).await;
    let mut there = right.open_browser().await;
    let begin = there.subscribe(REFUSED).await;
    for number in 1..=3 {
        publish(&left, REFUSED, number).await;
        assert_eq!(next_number(&mut there).await, number);
    }
    redis.command(&format!("DEL {PREFIX}log:{{{REFUSED}}} {PREFIX}ids:{{{REFUSED}}}"));
    assert_eq!(publish(&left, REFUSED, 4).await["offset"], 4);
    assert_eq!(next_number(&mut there).await, 4);
    for (since, is_recovered) in [(3, true), (2, false), (0, false)] {
        let request = json!({ "channel": REFUSED, "since": { "epoch": begin["epoch"], "offset": since } });
        let fresh = Running::start({
            let mut config = Config { redis: redis.config(), ..Config::default() };
            config.site.instance = format!("2{since}");
            config
        })
        .await;
        until("it is linked", async || fresh.ports.cluster.is_redis_available()).await;
        let answer = fresh.open_browser().await.subscribe_with(request).await;
        assert_eq!(answer["recovered"], is_recovered, "since {since}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_documents_on_other_channels_do_not_wait_for_a_refused_one() {
    let redis = Redis::start();
    let [left, right] = pair(&redis.config()).await;
    let mut there = right.open_browser().await;
    there.subscribe("view:helloClusterTodo:item:updated").await;
    let todos = left.url("/api/1/helloClusterTodo");
    let client = reqwest::Client::new();
    let mut list = right.open_browser().await;
    list.subscribe("view:helloClusterTodo:list:changed").await;
    let made: Value = client.post(&todos).json(&json!({ "text": "a" })).send().await.unwrap().json().await.unwrap();
    assert_eq!(list.next_data().await["todo"]["title"], "a");
    redis.command(&format!("RENAME {PREFIX}log:{{view:helloClusterTodo:list:changed}} aside"));
    redis.command(&format!("SET {PREFIX}log:{{view:helloClusterTodo:list:changed}} junk"));
    for number in 0..100 {
        client.post(&todos).json(&json!({ "text": format!("task {number}") })).send().await.unwrap();
    }
    let id = made["todo"]["_id"].as_str().unwrap();
    let changed: Value = client.put(format!("{todos}/{id}/toggle")).send().await.unwrap().json().await.unwrap();
    assert_eq!(changed["success"], true, "{changed}");
    assert_eq!(there.next_data().await["todo"]["_id"], id);
    redis.command(&format!("RENAME aside {PREFIX}log:{{view:helloClusterTodo:list:changed}}"));
    let mut titles = Vec::new();
    while titles.len() < 100 {
        let frame = list.next().await;
        if frame["data"]["type"] == "broadcast" {
            titles.push(frame["data"]["data"]["data"]["todo"]["title"].as_str().unwrap().to_owned());
        }
    }
    let expected: Vec<String> = (0..100).map(|number| format!("task {number}")).collect();
    assert_eq!(titles, expected, "all of them, in order, once");
}
