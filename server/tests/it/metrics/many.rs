//! Fifty instances, of which forty-nine are records in a real Redis.

use std::time::{Duration, Instant};

use server::metrics::{Namespace, Record, Server};

use super::{cluster, config};
use crate::kit::{instance::Running, redis::Redis, until_within, visitor::Visitor};

const OTHERS: usize = 49;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_instances_are_put_together_in_under_fifty_milliseconds() {
    let redis = Redis::start();
    let instance = Running::start(config(redis.config(), "web-00", "0")).await;
    for number in 0..OTHERS {
        let host = number % 10 + 1;
        let mut record = instance.metrics.record();
        record.instance_id = format!("{host:02}:{number}");
        record.server = Server { name: format!("web-{host:02}"), ..record.server };
        record.namespaces = (0..8)
            .map(|endpoint| Namespace {
                path: format!("/api/1/ws/e{endpoint}"),
                connections: 2,
                ..Namespace::default()
            })
            .collect();
        let json = serde_json::to_string::<Record>(&record).unwrap();
        let set = format!("SET jpulse:dev:health:instance:{} '{json}' EX 120", record.instance_id);
        assert_eq!(redis.command(&set), "+OK\r\n");
    }
    let admin = Visitor::log_in_as_admin(&instance).await;
    let is_all = async || cluster(&admin, &instance).await["statistics"]["totalInstances"] == OTHERS + 1;
    // Nobody told this instance of them: it looks around every ten seconds.
    until_within(Duration::from_secs(20), "all are found", is_all).await;
    let mut quickest = Duration::MAX;
    for _ in 0..10 {
        let began = Instant::now();
        let records = instance.metrics.instances().await;
        let all = server::metrics::report::cluster(&records, 0);
        quickest = quickest.min(began.elapsed());
        assert_eq!(all["statistics"]["totalWebSocketConnections"], OTHERS * 8 * 2);
        assert_eq!(all["statistics"]["totalServers"], 11);
    }
    eprintln!("fifty instances in {quickest:?}");
    assert!(quickest < Duration::from_millis(50), "{quickest:?}");
}
