//! Puts the records of all instances together. No I/O: records in, JSON out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    Totals,
    custom::together,
    gather::RequestCounts,
    namespaces::Status,
    record::{Record, Traffic},
};
use crate::clock::rfc3339;

/// Bytes of the unit in which memory is shown.
const MEGABYTE: u64 = 1024 * 1024;

/// The whole cluster: what `/api/1/metrics` answers.
pub fn cluster(records: &[Record], now: u64) -> Value {
    let is_well = records.iter().all(is_well);
    json!({
        "status": if is_well { "ok" } else { "degraded" },
        "timestamp": rfc3339(now),
        "statistics": statistics(records, now),
        "servers": servers(records),
    })
}

/// The instances by the hosts they run on.
pub fn servers(records: &[Record]) -> Vec<Value> {
    let mut hosts: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        hosts.entry(&record.server.name).or_default().push(record);
    }
    hosts.into_iter().map(|(name, instances)| server(name, &instances)).collect()
}

/// What everybody may know of each instance.
pub fn public(records: &[Record]) -> Vec<Value> {
    let each = |record: &Record| {
        json!({
            "instanceId": record.instance_id,
            "serverId": record.server_id,
            "timestamp": record.timestamp,
            "status": shown_status(record),
            "version": record.process.version,
            "uptime": record.uptime,
            "memory": record.memory,
            "cpu": { "user": record.cpu.user, "system": record.cpu.system, "loadAvg": record.cpu.load_avg },
            "connections": record.connections,
        })
    };
    records.iter().map(each).collect()
}

/// Requests by route: how often, and with which status.
pub fn requests(counts: &RequestCounts, minutes: usize) -> Value {
    let mut routes: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for (field, count) in &counts.fields {
        let Some((route, status)) = field.rsplit_once(':') else { continue };
        *routes.entry(route).or_default().entry(status).or_default() += count;
    }
    let mut rows: Vec<(u64, Value)> = routes
        .into_iter()
        .map(|(route, statuses)| {
            let total = statuses.values().sum();
            (total, json!({ "route": route, "total": total, "statuses": statuses }))
        })
        .collect();
    rows.sort_by_key(|(total, _)| std::cmp::Reverse(*total));
    json!({
        "minutes": minutes,
        "total": counts.instances.values().sum::<u64>(),
        "requests": counts.fields,
        "routes": rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>(),
        "instances": counts.instances,
    })
}

fn statistics(records: &[Record], now: u64) -> Value {
    let totals = Totals::of(records);
    json!({
        "totalServers": totals.servers,
        "totalInstances": totals.instances,
        "totalProcesses": totals.instances,
        "runningProcesses": totals.running,
        "stoppedProcesses": totals.stopped,
        "erroredProcesses": totals.errored,
        "totalRestarts": totals.restarts,
        "totalWebSocketConnections": totals.sockets,
        "totalWebSocketMessages": totals.socket_messages,
        "totalWebSocketNamespaces": totals.endpoints,
        "webSocketNamespaces": namespaces(records),
        "totalMemory": totals.memory_bytes / MEGABYTE,
        "totalConnections": totals.connections,
        "averageCpu": totals.average_cpu_percent,
        "averageLoad": totals.average_load,
        "activeSessions": totals.site.sessions,
        "redisMemory": {
            "used": totals.site.redis_memory / MEGABYTE,
            "limit": totals.site.redis_memory_limit / MEGABYTE,
        },
        "traffic": traffic(records),
        "custom": together(records.iter().map(|record| &record.custom)),
        "lastUpdated": rfc3339(records.iter().map(|record| record.timestamp).max().unwrap_or(now)),
    })
}

/// Each endpoint with the sum of its instances, the worst of their states and their latest activity.
fn namespaces(records: &[Record]) -> Vec<Value> {
    #[derive(Default)]
    struct Sum<'a> {
        connections: u64,
        users: u64,
        messages: u64,
        per_minute: u64,
        instances: u64,
        hosts: BTreeSet<&'a str>,
        status: Status,
        last_activity: Option<&'a str>,
    }
    let mut sums: BTreeMap<&str, Sum<'_>> = BTreeMap::new();
    for record in records {
        for namespace in &record.namespaces {
            let sum = sums.entry(&namespace.path).or_default();
            sum.connections += namespace.connections;
            sum.users += namespace.users;
            sum.messages += namespace.messages;
            sum.per_minute += namespace.messages_per_minute;
            sum.instances += 1;
            sum.hosts.insert(&record.server.name);
            sum.status = sum.status.max(namespace.status);
            // RFC 3339 in UTC with milliseconds sorts by time.
            sum.last_activity = sum.last_activity.max(namespace.last_activity.as_deref());
        }
    }
    let each = |(path, sum): (&str, Sum<'_>)| {
        json!({
            "path": path,
            "totalConnections": sum.connections,
            "totalUsers": sum.users,
            "totalMessages": sum.messages,
            "messagesPerMinute": sum.per_minute,
            "instanceCount": sum.instances,
            "serverCount": sum.hosts.len(),
            "status": sum.status,
            "lastActivity": sum.last_activity,
        })
    };
    sums.into_iter().map(each).collect()
}

/// What all instances counted; of latencies the worst.
pub(super) fn traffic(records: &[Record]) -> Traffic {
    records.iter().map(|record| record.traffic).fold(Traffic::default(), |sum, one| Traffic {
        published: sum.published + one.published,
        delivered: sum.delivered + one.delivered,
        gaps: sum.gaps + one.gaps,
        replayed: sum.replayed + one.replayed,
        dropped: sum.dropped + one.dropped,
        slow_sockets: sum.slow_sockets + one.slow_sockets,
        outbox: sum.outbox + one.outbox,
        latency_p50: sum.latency_p50.max(one.latency_p50),
        latency_p99: sum.latency_p99.max(one.latency_p99),
        requests: sum.requests + one.requests,
        failures: sum.failures + one.failures,
    })
}

fn server(name: &str, instances: &[&Record]) -> Value {
    // The host's facts as whoever reported last saw them.
    let latest = instances.iter().max_by_key(|record| record.timestamp);
    let (facts, load, id) = latest
        .map_or_else(Default::default, |record| (record.server.clone(), record.cpu.load_avg, record.server_id.clone()));
    json!({
        "serverName": name,
        "serverId": id.parse::<u64>().map_or_else(|_| json!(id), |number| json!(number)),
        "platform": facts.platform,
        "arch": facts.arch,
        "nodeVersion": null,
        "rustVersion": env!("CARGO_PKG_RUST_VERSION"),
        "cpus": facts.cpus,
        "loadAverage": load,
        "freeMemory": facts.free_memory / MEGABYTE,
        "totalMemory": facts.total_memory / MEGABYTE,
        "mongodb": facts.mongodb,
        "instances": instances.iter().map(|record| instance(record)).collect::<Vec<_>>(),
    })
}

fn instance(record: &Record) -> Value {
    let Record { process, .. } = record;
    json!({
        "instanceId": record.instance_id,
        "pid": process.pid,
        "pm2Available": false,
        "pm2ProcessName": null,
        "status": shown_status(record),
        "version": process.version,
        "release": process.release,
        "environment": process.environment,
        "database": {
            "status": if process.is_store_well { "connected" } else { "disconnected" },
            "name": process.database,
            "mode": process.store,
        },
        "deployment": {
            "mode": process.environment,
            "config": { "port": process.port, "db": process.database },
        },
        "uptime": record.uptime,
        "uptimeFormatted": in_words(record.uptime),
        "timestamp": rfc3339(record.timestamp),
        "memory": { "used": record.memory.used / MEGABYTE, "total": record.memory.total / MEGABYTE },
        "cpu": record.cpu.percent,
        "restarts": process.restarts,
        "redis": { "link": process.link, "outage": process.outage, "latencyMicros": process.redis_micros },
        "traffic": record.traffic,
        "custom": record.custom,
        "websockets": {
            "uptime": record.uptime,
            "localConnections": record.connections.websocket,
            "localMessages": record.namespaces.iter().map(|namespace| namespace.messages).sum::<u64>(),
            "namespaces": record.namespaces,
        },
        "processInfo": { "ppid": process.ppid, "memoryUsage": record.memory, "cpuUsage": {
            "user": record.cpu.user, "system": record.cpu.system,
        } },
        "connections": record.connections,
    })
}

/// Whether what the instance stands on is there. One that says nothing of it runs, and that is all one knows.
fn is_well(record: &Record) -> bool {
    let Record { process, .. } = record;
    process.link != "down" && (process.is_store_well || process.store.is_empty())
}

/// `online`, `errored` or `stopping`.
pub fn shown_status(record: &Record) -> &str {
    if record.process.status == "stopping" {
        "stopping"
    } else if is_well(record) {
        "online"
    } else {
        "errored"
    }
}

/// `3h 25m 45s`.
fn in_words(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let parts = [(days, 'd'), (hours, 'h'), (minutes, 'm')].into_iter().skip_while(|(count, _)| *count == 0);
    parts.map(|(count, unit)| format!("{count}{unit} ")).collect::<String>() + &format!("{}s", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Namespace, Server};

    fn record(id: &str, host: &str, sockets: u64, status: Status, at: &str) -> Record {
        let namespace = Namespace {
            path: "/api/1/ws/chat".into(),
            connections: sockets,
            messages: 100,
            status,
            last_activity: Some(at.into()),
            ..Namespace::default()
        };
        let server = Server { name: host.into(), ..Server::default() };
        Record {
            instance_id: id.into(),
            server_id: "01".into(),
            server,
            namespaces: vec![namespace],
            ..Record::default()
        }
    }

    #[test]
    fn the_whole_is_the_sum_of_its_instances_with_the_worst_state_and_the_latest_activity() {
        let records = [
            record("01:0", "web01", 3, Status::Green, "2025-10-10T21:43:00.000Z"),
            record("01:1", "web01", 4, Status::Red, "2025-10-10T21:44:00.000Z"),
            record("02:0", "web02", 5, Status::Yellow, "2025-10-10T21:42:00.000Z"),
        ];
        let all = cluster(&records, 0);
        let statistics = &all["statistics"];
        assert_eq!((&statistics["totalServers"], &statistics["totalInstances"]), (&json!(2), &json!(3)));
        assert_eq!(statistics["totalWebSocketConnections"], 12);
        let namespace = &statistics["webSocketNamespaces"][0];
        assert_eq!((&namespace["status"], &namespace["serverCount"]), (&json!("red"), &json!(2)));
        assert_eq!(namespace["lastActivity"], "2025-10-10T21:44:00.000Z");
        assert_eq!(all["servers"][0]["instances"].as_array().unwrap().len(), 2);
        assert_eq!(all["servers"][0]["serverId"], 1);
    }

    #[test]
    fn times_are_shown_in_words() {
        assert_eq!(in_words(5), "5s");
        assert_eq!(in_words(12_345), "3h 25m 45s");
        assert_eq!(in_words(90_000), "1d 1h 0m 0s");
    }

    #[test]
    fn requests_are_put_together_by_route() {
        let counts = RequestCounts {
            fields: [("/a:200", 2), ("/a:404", 1), ("/b/{id}:200", 5)].map(|(field, n)| (field.to_owned(), n)).into(),
            instances: [("01:0".to_owned(), 8)].into(),
        };
        let shown = requests(&counts, 5);
        assert_eq!((&shown["total"], &shown["routes"][0]["route"]), (&json!(8), &json!("/b/{id}")));
        assert_eq!(shown["routes"][1]["statuses"], json!({ "200": 2, "404": 1 }));
    }
}
