//! The whole cluster in a few numbers, for `statistics` and for the page of the cluster.

use std::collections::{BTreeMap, BTreeSet};

use super::{Record, Site, report::shown_status};

/// Sums and means over all instances.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// Hosts.
    pub servers: usize,
    /// Instances, each one process.
    pub instances: usize,
    /// Those that serve.
    pub running: usize,
    /// Those that are stopping.
    pub stopped: usize,
    /// Those whose Redis or store does not answer.
    pub errored: usize,
    /// How often instances were started again because a process ended or grew too large.
    pub restarts: u64,
    /// WebSocket endpoints.
    pub endpoints: usize,
    /// Sockets and event streams on them.
    pub sockets: u64,
    /// Messages browsers sent over them.
    pub socket_messages: u64,
    /// Sockets, event streams and requests being answered.
    pub connections: u64,
    /// Bytes of all processes.
    pub memory_bytes: u64,
    /// Per cent of one processor, the mean of all instances.
    pub average_cpu_percent: f64,
    /// Load over the last minute, the mean of all hosts.
    pub average_load: f64,
    /// What is measured once for all: as the latest of them saw it.
    pub site: Site,
}

impl Totals {
    /// Of these instances.
    pub fn of(records: &[Record]) -> Self {
        let count = |status: &str| records.iter().filter(|record| shown_status(record) == status).count();
        let namespaces = || records.iter().flat_map(|record| &record.namespaces);
        // A host's load as its instance that reported last saw it.
        let mut loads: BTreeMap<&str, (u64, f64)> = BTreeMap::new();
        for record in records {
            let load = loads.entry(&record.server.name).or_default();
            if record.timestamp >= load.0 {
                *load = (record.timestamp, record.cpu.load_avg[0]);
            }
        }
        let latest = records.iter().max_by_key(|record| record.timestamp);
        Self {
            servers: loads.len(),
            instances: records.len(),
            running: count("online"),
            stopped: count("stopping"),
            errored: count("errored"),
            restarts: records.iter().map(|record| record.process.restarts).sum(),
            endpoints: namespaces().map(|namespace| &namespace.path).collect::<BTreeSet<_>>().len(),
            sockets: namespaces().map(|namespace| namespace.connections).sum(),
            socket_messages: namespaces().map(|namespace| namespace.messages).sum(),
            connections: records.iter().map(|it| it.connections.websocket + it.connections.http).sum(),
            memory_bytes: records.iter().map(|record| record.memory.used).sum(),
            average_cpu_percent: mean(records.iter().map(|record| record.cpu.percent)),
            average_load: mean(loads.values().map(|(_, load)| *load)),
            site: latest.map(|record| record.site).unwrap_or_default(),
        }
    }
}

/// To two places; 0 of nothing.
fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a number of instances")]
    let count = values.len().max(1) as f64;
    (values.sum::<f64>() / count * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Cpu, Namespace, Process, Server};

    #[test]
    fn processors_are_the_mean_of_instances_and_loads_the_mean_of_hosts() {
        let record = |host: &str, timestamp, percent, load, status: &str| Record {
            server: Server { name: host.into(), ..Server::default() },
            timestamp,
            cpu: Cpu { percent, load_avg: [load, 0.0, 0.0], ..Cpu::default() },
            process: Process { status: status.into(), restarts: 2, ..Process::default() },
            namespaces: vec![Namespace { path: "/api/1/ws/chat".into(), connections: 3, ..Namespace::default() }],
            site: Site { sessions: timestamp, ..Site::default() },
            ..Record::default()
        };
        let records = [
            record("web01", 1, 10.0, 9.0, "online"),
            record("web01", 2, 20.0, 1.0, "online"),
            record("web02", 1, 60.0, 3.0, "stopping"),
        ];
        let totals = Totals::of(&records);
        assert_eq!((totals.average_cpu_percent, totals.average_load), (30.0, 2.0));
        assert_eq!((totals.servers, totals.instances, totals.running, totals.stopped), (2, 3, 2, 1));
        assert_eq!((totals.endpoints, totals.sockets, totals.restarts, totals.site.sessions), (1, 9, 6, 2));
        assert_eq!(Totals::of(&[]), Totals::default());
    }
}
