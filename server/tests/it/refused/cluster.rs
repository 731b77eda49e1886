//! A Redis Cluster.

use super::{
    super::kit::{redis_cluster::RedisCluster, until},
    NEWS, goes_through, instance, metric, publish,
};

const PREFIX: &str = "jpulse:dev:";

/// The slot of a channel's keys.
fn slot(cluster: &RedisCluster, channel: &str) -> String {
    let slot = cluster.nodes[0].command(&format!("CLUSTER KEYSLOT {PREFIX}log:{{{channel}}}"));
    slot.trim_start_matches(':').trim().to_owned()
}

/// Takes a slot from everybody: nobody serves it.
fn drop_slot(cluster: &RedisCluster, slot: &str) {
    for node in &cluster.nodes {
        // A replica may have heard of it.
        node.command(&format!("CLUSTER DELSLOTS {slot}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_is_down_costs_no_storm_of_links_and_frames() {
    let cluster = RedisCluster::start().await;
    let pair = [instance(cluster.config(&[0, 1, 2]), "0").await, instance(cluster.config(&[0, 1, 2]), "1").await];
    let (keeper, slot) = (cluster.keeper(PREFIX, NEWS), slot(&cluster, NEWS));
    let spoil = async || drop_slot(&cluster, &slot);
    let cure = async || {
        let answer = cluster.nodes[keeper].command(&format!("CLUSTER ADDSLOTS {slot}"));
        assert!(answer.starts_with("+OK"), "{answer}");
        cluster.wait_until_whole().await;
    };
    goes_through(&pair, "CLUSTERDOWN", spoil, async || {}, cure).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_nobody_serves_takes_no_link_down() {
    let mut cluster = RedisCluster::prepare(&["--cluster-require-full-coverage", "no"]);
    cluster.run().await;
    let alone = instance(cluster.config(&[0, 1, 2]), "0").await;
    until("it is linked", async || super::is_well(&alone).await).await;
    let (keeper, slot) = (cluster.keeper(PREFIX, NEWS), slot(&cluster, NEWS));
    assert!(publish(&alone, NEWS, 1).await.get("fallback").is_none());
    drop_slot(&cluster, &slot);
    assert_eq!(publish(&alone, NEWS, 2).await["fallback"], true);
    // The first refusal ends the client's connections; the next link knows the slots.
    until("it is linked again", async || super::is_well(&alone).await).await;
    let connects = metric(&alone, "jpulse_redis_connects_total").await;
    for _ in 0..20 {
        assert_eq!(publish(&alone, NEWS, 3).await["fallback"], true);
        assert!(super::is_well(&alone).await);
    }
    assert_eq!(metric(&alone, "jpulse_redis_connects_total").await, connects);
    let answer = cluster.nodes[keeper].command(&format!("CLUSTER ADDSLOTS {slot}"));
    assert!(answer.starts_with("+OK"), "{answer}");
    until("its messages are logged again", async || publish(&alone, NEWS, 4).await.get("fallback").is_none()).await;
}
