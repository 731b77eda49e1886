//! One server.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::{
    super::kit::{redis::Redis, until_within},
    BACK_WITHIN, NEWS, count_through, pair, publish, wait_until_cut, wait_until_heard, wait_until_linked,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_subscribers_are_back_at_once_and_miss_nothing() {
    let redis = Redis::start();
    let both = pair(&redis.config()).await;
    count_through(&both, async || {
        for _ in 0..3 {
            redis.command("CLIENT KILL TYPE pubsub");
            let took = wait_until_heard(&[&redis], &both).await;
            eprintln!("single: killed subscribers were back after {took:?}");
            sleep(Duration::from_millis(300)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_noticed_and_costs_no_message() {
    let redis = Redis::start();
    let both = pair(&redis.config()).await;
    count_through(&both, async || {
        redis.pause();
        wait_until_cut(&both).await;
        redis.resume();
        let took = wait_until_linked(&both, BACK_WITHIN).await;
        eprintln!("single: linked {took:?} after the server went on");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_refuses_to_answer_for_a_while_costs_no_message() {
    let redis = Redis::start();
    let both = pair(&redis.config()).await;
    count_through(&both, async || {
        redis.command("CLIENT PAUSE 6000 ALL");
        wait_until_cut(&both).await;
        let limit = Duration::from_secs(6) + BACK_WITHIN;
        let took = until_within(limit, "it answers", async || redis.try_command("PING").is_some()).await
            + wait_until_linked(&both, BACK_WITHIN).await;
        eprintln!("single: linked {took:?} after the loss was noticed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_with_an_older_log_gives_no_offset_a_second_meaning() {
    let mut redis = Redis::start_with(&["--dbfilename", "dump.rdb"]);
    let both = pair(&redis.config()).await;
    let [left, right] = &both;
    let mut browser = right.open_browser().await;
    browser.subscribe(NEWS).await;
    let mut positions = Vec::new();
    for number in 1..=5 {
        positions.push(publish(left, number).await);
        assert_eq!(browser.next_data().await["number"], number);
        if number == 2 {
            assert!(redis.command("SAVE").starts_with("+OK"));
        }
    }
    redis.kill();
    wait_until_cut(&both).await;
    redis.run();
    wait_until_linked(&both, BACK_WITHIN).await;
    // Its offsets are those of the forgotten 3 to 6.
    for number in 13..=16 {
        let receipt = publish(left, number).await;
        assert_eq!(receipt["offset"], number - 10, "{receipt}");
        assert_ne!(receipt["epoch"], positions[0]["epoch"]);
    }
    let mut seen = Vec::new();
    let mut gaps = 0;
    while seen.last() != Some(&16) {
        let frame = browser.next().await;
        match frame["data"]["type"].as_str() {
            Some("broadcast") => seen.push(frame["data"]["data"]["data"]["number"].as_u64().unwrap()),
            Some("gap") => gaps += 1,
            _ => {}
        }
    }
    assert_eq!((gaps, seen), (1, vec![13, 14, 15, 16]), "told that something may be missing, then what is new");
    for (seen_before, is_recovered, missed) in [(2, true, vec![13, 14, 15, 16]), (3, false, vec![]), (5, false, vec![])]
    {
        for instance in &both {
            let position = &positions[seen_before - 1];
            let since = json!({ "epoch": position["epoch"], "offset": position["offset"] });
            let mut browser = instance.open_browser().await;
            let answer = browser.subscribe_with(json!({ "channel": NEWS, "since": since })).await;
            assert_eq!(answer["recovered"], is_recovered, "after {seen_before}: {answer}");
            for number in &missed {
                assert_eq!(browser.next_data().await["number"], *number);
            }
            browser.expect_nothing().await;
        }
    }
}
