//! A primary watched by sentinels.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use super::{
    super::kit::sentinel::{Passwords, SENTINELS_WITHIN, Sentinels},
    BACK_WITHIN, NEWS, count_through, instance, pair, publish, wait_until_cut, wait_until_heard, wait_until_linked,
    wait_until_logged,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_primary_is_replaced_and_costs_no_message() {
    let mut sentinels = Sentinels::start(2).await;
    let both = pair(&sentinels.config()).await;
    count_through(&both, async || {
        sentinels.servers[0].command("CLIENT KILL TYPE pubsub");
        let took = wait_until_heard(&[&sentinels.servers[0]], &both).await;
        eprintln!("sentinel: killed subscribers were back after {took:?}");
        sleep(Duration::from_millis(500)).await;
        sentinels.servers[0].settle();
        sentinels.servers[0].kill();
        wait_until_cut(&both).await;
        let took = wait_until_linked(&both, SENTINELS_WITHIN).await;
        eprintln!("sentinel: linked {took:?} after the primary was lost");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_hangs_is_replaced_and_costs_no_message() {
    let sentinels = Sentinels::start(1).await;
    let both = pair(&sentinels.config()).await;
    count_through(&both, async || {
        sentinels.servers[0].settle();
        let since = Instant::now();
        sentinels.servers[0].pause();
        sentinels.wait_until_primary(1).await;
        eprintln!("sentinel: a hung primary was replaced after {:?}", since.elapsed());
        let took = wait_until_logged(&both, "view:it:probe:logged").await;
        eprintln!("sentinel: and used by both instances {took:?} later");
        sentinels.servers[0].resume();
        sleep(Duration::from_secs(2)).await;
        wait_until_linked(&both, BACK_WITHIN).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_promoted_replica_never_had_is_not_silently_missing() {
    let mut sentinels = Sentinels::start(1).await;
    let both = pair(&sentinels.config()).await;
    let [left, right] = &both;
    let mut browser = right.open_browser().await;
    browser.subscribe(NEWS).await;
    let mut positions = Vec::new();
    for number in 1..=10 {
        if number == 5 {
            sentinels.cut_off(1).await;
        }
        positions.push(publish(left, number).await);
        assert_eq!(browser.next_data().await["number"], number);
    }
    sentinels.servers[0].kill();
    wait_until_cut(&both).await;
    sentinels.wait_until_primary(1).await;
    wait_until_linked(&both, BACK_WITHIN).await;
    // As many as were lost, and more: their offsets were given before.
    for number in 105..=116 {
        let receipt = publish(left, number).await;
        assert_eq!(receipt["offset"], number - 100, "{receipt}");
    }
    let (mut seen, mut gaps) = (Vec::new(), 0);
    while seen.last() != Some(&116) {
        let frame = browser.next().await;
        match frame["data"]["type"].as_str() {
            Some("broadcast") => seen.push(frame["data"]["data"]["data"]["number"].as_u64().unwrap()),
            Some("gap") => gaps += 1,
            _ => {}
        }
    }
    assert_eq!((gaps, seen), (1, (105..=116).collect::<Vec<_>>()));
    for seen_before in [3_usize, 4, 5, 10] {
        for instance in &both {
            let position = &positions[seen_before - 1];
            let since = json!({ "epoch": position["epoch"], "offset": position["offset"] });
            let mut browser = instance.open_browser().await;
            let answer = browser.subscribe_with(json!({ "channel": NEWS, "since": since })).await;
            let is_kept = seen_before <= 4;
            assert_eq!(answer["recovered"], is_kept, "after {seen_before}: {answer}");
            let missed = (seen_before as u64 + 1..=4).chain(105..=116);
            for number in missed.filter(|_| is_kept) {
                assert_eq!(browser.next_data().await["number"], number);
            }
            browser.expect_nothing().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_there_before_the_sentinels_finds_them_with_their_passwords() {
    let passwords = Passwords { servers: "server-secret", sentinels: "sentinel-secret" };
    let mut sentinels = Sentinels::prepare(1, passwords);
    let alone = instance(sentinels.config(), "0").await;
    assert_eq!(publish(&alone, 1).await["fallback"], true);
    sentinels.run().await;
    wait_until_linked(std::slice::from_ref(&alone), SENTINELS_WITHIN).await;
    let mut wrong = sentinels.config();
    wrong.sentinel.sentinel_password = "wrong".into();
    let wrong = instance(wrong, "1").await;
    assert!(publish(&wrong, 2).await["fallback"].as_bool().unwrap(), "without the password there is no link");
}
