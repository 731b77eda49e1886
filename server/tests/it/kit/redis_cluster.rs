//! A real Redis Cluster of this test's own: three primaries, each with a replica.

use std::time::Duration;

use server::config::{ClusterConfig, RedisConfig, RedisMode, RedisNode};

use super::{free_port, redis::Redis, until_within};

/// How long a cluster may take to form, or to put a replica in a primary's place.
pub const CLUSTER_WITHIN: Duration = Duration::from_secs(20);
const PRIMARIES: usize = 3;
/// The last slot of each primary.
const LAST_SLOTS: [u16; PRIMARIES] = [5_460, 10_922, 16_383];

/// Six nodes; those that run are ended with the test.
pub struct RedisCluster {
    pub nodes: Vec<Redis>,
    bus_ports: Vec<u16>,
}

impl RedisCluster {
    /// Starts one and waits until every slot is served and every replica is in step.
    pub async fn start() -> Self {
        let mut cluster = Self::prepare(&[]);
        cluster.run().await;
        cluster
    }

    /// One whose nodes are not started yet.
    pub fn prepare(options: &[&str]) -> Self {
        let bus_ports: Vec<u16> = (0..2 * PRIMARIES).map(|_| free_port()).collect();
        let node = |bus_port: &u16| {
            let bus_port = bus_port.to_string();
            let mut all =
                vec!["--cluster-enabled", "yes", "--cluster-port", &bus_port, "--cluster-node-timeout", "1500"];
            all.extend(["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]);
            all.extend(options);
            Redis::prepare(free_port(), &all)
        };
        Self { nodes: bus_ports.iter().map(node).collect(), bus_ports }
    }

    /// Starts the nodes and makes a cluster of them.
    pub async fn run(&mut self) {
        self.nodes.iter_mut().for_each(Redis::run);
        for (index, node) in self.nodes.iter().enumerate() {
            expect_ok(&node.command(&format!("CLUSTER SET-CONFIG-EPOCH {}", index + 1)));
        }
        let mut first = 0;
        for (node, last) in self.nodes.iter().zip(LAST_SLOTS) {
            expect_ok(&node.command(&format!("CLUSTER ADDSLOTSRANGE {first} {last}")));
            first = last + 1;
        }
        for (node, bus_port) in self.nodes.iter().zip(&self.bus_ports).skip(1) {
            expect_ok(&self.nodes[0].command(&format!("CLUSTER MEET 127.0.0.1 {} {bus_port}", node.port)));
        }
        until_within(CLUSTER_WITHIN, "all nodes know each other", async || {
            self.nodes.iter().all(|node| node.command("CLUSTER INFO").contains("cluster_known_nodes:6\r\n"))
        })
        .await;
        for index in 0..PRIMARIES {
            let primary = id(&self.nodes[index]);
            let replica = &self.nodes[PRIMARIES + index];
            until_within(CLUSTER_WITHIN, "a replica has its primary", async || {
                replica.command(&format!("CLUSTER REPLICATE {primary}")).starts_with("+OK")
            })
            .await;
        }
        self.wait_until_whole().await;
    }

    /// Waits until every slot is served and every replica that runs is in step.
    pub async fn wait_until_whole(&self) {
        until_within(CLUSTER_WITHIN, "the cluster is whole", async || {
            self.nodes.iter().all(|node| {
                let Some(info) = node.try_command("CLUSTER INFO") else { return true };
                let Some(replication) = node.try_command("INFO replication") else { return true };
                let is_in_step = replication.contains("role:master") || replication.contains("master_link_status:up");
                info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384") && is_in_step
            }) && self.primaries().len() == PRIMARIES
        })
        .await;
    }

    /// How an instance reaches it, knowing these nodes only.
    pub fn config(&self, nodes: &[usize]) -> RedisConfig {
        let known = |index: &usize| RedisNode { host: "127.0.0.1".into(), port: self.nodes[*index].port };
        let cluster = ClusterConfig { nodes: nodes.iter().map(known).collect(), ..ClusterConfig::default() };
        RedisConfig { mode: Some(RedisMode::Cluster), cluster, ..RedisConfig::default() }
    }

    /// The nodes that are primaries now, as far as they run.
    pub fn primaries(&self) -> Vec<usize> {
        let is_primary = |node: &Redis| {
            let answer = node.try_command("INFO replication");
            answer.is_some_and(|answer| answer.contains("role:master"))
        };
        (0..self.nodes.len()).filter(|index| is_primary(&self.nodes[*index])).collect()
    }

    /// The primary that keeps the log of a channel now.
    pub fn keeper(&self, prefix: &str, channel: &str) -> usize {
        let key = format!("{prefix}log:{{{channel}}}");
        let is_keeper = |index: &usize| {
            let answer = self.nodes[*index].command(&format!("EXISTS {key}"));
            answer.starts_with(':')
        };
        self.primaries().into_iter().find(is_keeper).expect("a primary has the slot")
    }

    /// Leaves the slot of a channel's keys between two primaries: what needs several of them is refused as soon as one is
    /// moved.
    pub fn begin_to_move_slot(&self, prefix: &str, channel: &str, from: usize, to: usize) {
        let [source, target] = [&self.nodes[from], &self.nodes[to]];
        let slot = slot(source, prefix, channel);
        expect_ok(&target.command(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", id(source))));
        expect_ok(&source.command(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", id(target))));
    }

    /// Moves one key of a slot that is between two primaries.
    pub fn migrate(&self, key: &str, from: usize, to: usize) {
        let [source, target] = [&self.nodes[from], &self.nodes[to]];
        expect_ok(&source.command(&format!("MIGRATE 127.0.0.1 {} {key} 0 2000", target.port)));
    }

    /// Gives up what [`RedisCluster::begin_to_move_slot`] began: everything goes back.
    pub fn stop_moving_slot(&self, prefix: &str, channel: &str, from: usize, to: usize) {
        let slot = slot(&self.nodes[from], prefix, channel);
        let [source, target] = [&self.nodes[from], &self.nodes[to]];
        expect_ok(&source.command(&format!("CLUSTER SETSLOT {slot} STABLE")));
        migrate_all(target, source, &slot);
        expect_ok(&target.command(&format!("CLUSTER SETSLOT {slot} STABLE")));
    }

    /// Moves the slot of a channel's keys from one primary to another, with what is in it.
    pub fn move_slot(&self, prefix: &str, channel: &str, from: usize, to: usize) {
        self.begin_to_move_slot(prefix, channel, from, to);
        let [source, target] = [&self.nodes[from], &self.nodes[to]];
        let slot = slot(source, prefix, channel);
        let target_id = id(target);
        migrate_all(source, target, &slot);
        for index in
            [to, from].into_iter().chain(self.primaries().into_iter().filter(|node| ![to, from].contains(node)))
        {
            expect_ok(&self.nodes[index].command(&format!("CLUSTER SETSLOT {slot} NODE {target_id}")));
        }
    }
}

/// Moves everything in a slot.
fn migrate_all(source: &Redis, target: &Redis, slot: &str) {
    loop {
        let keys = source.command(&format!("CLUSTER GETKEYSINSLOT {slot} 100"));
        let keys: Vec<&str> = keys.lines().filter(|line| !line.starts_with(['*', '$'])).collect();
        if keys.is_empty() {
            return;
        }
        let keys = keys.join(" ");
        expect_ok(&source.command(&format!("MIGRATE 127.0.0.1 {} \"\" 0 2000 KEYS {keys}", target.port)));
    }
}

/// The slot of a channel's keys.
fn slot(node: &Redis, prefix: &str, channel: &str) -> String {
    let answer = node.command(&format!("CLUSTER KEYSLOT {prefix}log:{{{channel}}}"));
    answer.trim_start_matches(':').trim().to_owned()
}

fn id(node: &Redis) -> String {
    let answer = node.command("CLUSTER MYID");
    answer.lines().nth(1).expect("an id").to_owned()
}

fn expect_ok(answer: &str) {
    assert!(answer.starts_with("+OK") || answer.starts_with("+NOKEY"), "{answer}");
}
