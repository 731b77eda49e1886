//! A Redis Cluster.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use super::{
    super::kit::redis_cluster::{CLUSTER_WITHIN, RedisCluster},
    BACK_WITHIN, NEWS, PREFIX, count_through, instance, numbers_until, pair, publish, publish_on, wait_until_heard,
    wait_until_linked, wait_until_logged,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_know_different_nodes_hear_each_other_on_every_slot() {
    let cluster = RedisCluster::start().await;
    // A primary and a replica of another one: the rest is found.
    let both = [instance(cluster.config(&[0]), "0").await, instance(cluster.config(&[4]), "1").await];
    wait_until_linked(&both, Duration::from_secs(10)).await;
    let [left, right] = &both;
    let channels: Vec<String> = (0..12).map(|number| format!("view:it:slot:n{number}")).collect();
    let keepers: std::collections::BTreeSet<usize> =
        channels.iter().map(|channel| cluster.keeper(PREFIX, channel)).collect();
    assert_eq!(keepers.len(), 3, "the channels are spread over all primaries");
    let mut browser = right.open_browser().await;
    let mut wildcard = right.open_browser().await;
    wildcard.subscribe("view:it:slot:*").await;
    for channel in &channels {
        let begin = browser.subscribe(channel).await;
        for number in 1..=3 {
            let receipt = publish_on(left, channel, number).await;
            assert_eq!((&receipt["epoch"], receipt["offset"].as_u64()), (&begin["epoch"], Some(number)), "{receipt}");
            assert_eq!(browser.next_data().await["number"], number);
            assert_eq!(wildcard.next_data().await["number"], number);
        }
        let since = json!({ "epoch": begin["epoch"], "offset": 0 });
        let mut late = left.open_browser().await;
        let answer = late.subscribe_with(json!({ "channel": channel, "since": since })).await;
        assert_eq!(answer["recovered"], true, "{answer}");
        assert_eq!(numbers_until(&mut late, 3).await, [1, 2, 3]);
    }
    for node in &cluster.nodes {
        node.command("CLIENT KILL TYPE pubsub");
    }
    let took = wait_until_heard(&cluster.nodes.iter().collect::<Vec<_>>(), &both).await;
    eprintln!("cluster: killed subscribers were back after {took:?}");
    publish_on(left, &channels[0], 4).await;
    assert_eq!(numbers_until(&mut browser, 4).await, [4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_primary_costs_no_message_and_doubles_none() {
    let mut cluster = RedisCluster::start().await;
    let both = pair(&cluster.config(&[0, 1, 2])).await;
    // First the one that keeps the channel's log, then one that subscriptions hang on.
    for round in ["keeper", "hears"] {
        let victim = if round == "keeper" {
            cluster.keeper(PREFIX, NEWS)
        } else {
            let hears =
                |index: &usize| cluster.nodes[*index].command("PUBSUB CHANNELS *heartbeat*").contains("heartbeat");
            cluster.primaries().into_iter().find(hears).expect("subscriptions hang on a primary")
        };
        count_through(&both, async || {
            cluster.nodes[victim].settle();
            cluster.nodes[victim].kill();
            cluster.wait_until_whole().await;
            let took = wait_until_linked(&both, BACK_WITHIN).await;
            eprintln!("cluster: linked {took:?} after the failover");
        })
        .await;
        cluster.nodes[victim].run();
        cluster.wait_until_whole().await;
    }
    assert!(publish(&both[0], 0).await.get("fallback").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_hangs_is_replaced_and_costs_no_message() {
    let cluster = RedisCluster::start().await;
    let both = pair(&cluster.config(&[0, 1, 2])).await;
    let victim = cluster.keeper(PREFIX, NEWS);
    let is_kept = |channel: &String| cluster.keeper(PREFIX, channel) == victim;
    let probe = (0..1_000).map(|number| format!("view:it:probe:n{number}")).find(is_kept).unwrap();
    count_through(&both, async || {
        cluster.nodes[victim].settle();
        let since = Instant::now();
        cluster.nodes[victim].pause();
        cluster.wait_until_whole().await;
        eprintln!("cluster: a hung primary was replaced after {:?}", since.elapsed());
        let took = wait_until_logged(&both, &probe).await;
        eprintln!("cluster: and used by both instances {took:?} later");
        cluster.nodes[victim].resume();
        // It learns that it is a replica now, and sends its clients away.
        sleep(Duration::from_secs(1)).await;
        wait_until_linked(&both, BACK_WITHIN).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_costs_no_message_and_no_link() {
    let cluster = RedisCluster::start().await;
    let both = pair(&cluster.config(&[0, 1, 2])).await;
    let mut from = cluster.keeper(PREFIX, NEWS);
    count_through(&both, async || {
        for to in cluster.primaries().into_iter().filter(|node| *node != from).collect::<Vec<_>>() {
            cluster.move_slot(PREFIX, NEWS, from, to);
            from = to;
            sleep(Duration::from_millis(500)).await;
        }
    })
    .await;
    let receipt = publish(&both[1], 0).await;
    assert!(receipt.get("fallback").is_none(), "{receipt}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_there_before_the_cluster_finds_it() {
    let password = "cluster-secret";
    let mut cluster = RedisCluster::prepare(&["--requirepass", password, "--masterauth", password]);
    let mut config = cluster.config(&[0]);
    config.cluster.password = password.into();
    let alone = instance(config, "0").await;
    let mut browser = alone.open_browser().await;
    browser.subscribe(NEWS).await;
    assert_eq!(publish(&alone, 1).await["fallback"], true);
    assert_eq!(browser.next_data().await["number"], 1);
    cluster.run().await;
    wait_until_linked(std::slice::from_ref(&alone), CLUSTER_WITHIN).await;
    let mut receipt = publish(&alone, 2).await;
    while receipt.get("fallback").is_some() {
        receipt = publish(&alone, 2).await;
    }
    assert!(receipt["offset"].as_u64() >= Some(2), "what waited went before: {receipt}");
}
