//! The same numbers for Prometheus, of this instance alone: its scraper puts instances together.

use std::fmt::Write;

use wire::Layer;

use super::Metrics;
use crate::{
    bus::Link,
    histogram::{BOUNDS, Snapshot},
    hub::{LAYERS, OutageCause},
};

/// How often configuration was read, by where it was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheReads {
    /// In this instance's memory.
    pub memory: u64,
    /// In Redis.
    pub redis: u64,
    /// In the store.
    pub store: u64,
    /// The last known value, because neither Redis nor the store answered.
    pub last_known: u64,
}

/// Text in Prometheus's exposition format, version 0.0.4.
#[derive(Default)]
struct Text(String);

impl Metrics {
    /// Everything this instance measures. Every name and its unit: docs/METRICS.md.
    pub fn prometheus(&self, cache: CacheReads) -> String {
        let record = self.record();
        let hub = self.shared.sources.hub.stats();
        let relay = self.shared.sources.relay.stats();
        let mut text = Text::default();
        let about = format!(
            "id=\"{}\",version=\"{}\",environment=\"{}\"",
            escape(&record.instance_id),
            record.process.version,
            record.process.environment
        );
        text.line("jpulse_info", "gauge", "What runs.", &[(about.as_str(), 1)]);
        text.one("jpulse_uptime_seconds", "gauge", "Since the start.", record.uptime);
        text.one(
            "jpulse_restarts_total",
            "counter",
            "Started again because a process of this instance ended or grew too large.",
            record.process.restarts,
        );
        text.one("jpulse_memory_resident_bytes", "gauge", "Memory of the process.", record.memory.rss);
        let cpu_micros = record.cpu.user + record.cpu.system;
        text.head("jpulse_cpu_seconds_total", "counter", "Processor time of the process.");
        let _ = writeln!(text.0, "jpulse_cpu_seconds_total {}.{:06}", cpu_micros / 1_000_000, cpu_micros % 1_000_000);
        text.head("jpulse_delivery_seconds", "histogram", "From publishing on any instance to delivery on this one.");
        for (layer, snapshot) in LAYERS.iter().zip(hub.latency) {
            text.histogram("jpulse_delivery_seconds", &format!("layer=\"{}\"", Layer::as_str(*layer)), &snapshot);
        }
        text.one("jpulse_published_total", "counter", "Messages published through this instance.", hub.published);
        text.one("jpulse_delivered_total", "counter", "Messages handed to listeners here.", hub.delivered);
        text.one("jpulse_kept_total", "counter", "Published messages that had to wait for Redis.", hub.kept);
        text.one("jpulse_repairs_total", "counter", "How often the log was asked for missing messages.", hub.repairs);
        text.one("jpulse_replayed_total", "counter", "Missing messages that the log had.", hub.replayed);
        text.one("jpulse_gaps_total", "counter", "Losses that could not be repaired.", hub.gaps);
        let dropped = [
            ("cause=\"outbox_full\"", hub.dropped),
            ("cause=\"slow_socket\"", relay.overflowed),
            ("cause=\"too_large\"", hub.too_large + relay.too_large),
        ];
        text.line(
            "jpulse_drops_total",
            "counter",
            "Dropped: messages by a full outbox, sockets for reading slowly, messages too large for browsers.",
            &dropped,
        );
        let depths = [("queue=\"outbox\"", hub.outbox), ("queue=\"inbox\"", hub.inbox)];
        text.line("jpulse_queue_depth", "gauge", "Messages that wait.", &depths);
        let link = *self.shared.sources.hub.link().borrow();
        text.one(
            "jpulse_redis_up",
            "gauge",
            "1 when linked to Redis, or when there is none.",
            u64::from(link != Link::Down),
        );
        text.one("jpulse_redis_configured", "gauge", "1 when there should be a Redis.", u64::from(link != Link::Local));
        let outage = self.shared.sources.hub.outage(link);
        let causes: Vec<(String, u64)> = OutageCause::ALL
            .iter()
            .map(|cause| (format!("cause=\"{}\"", cause.as_str()), u64::from(outage == Some(*cause))))
            .collect();
        text.lines("jpulse_redis_outage", "gauge", "1 for why there is no link to Redis.", &causes);
        let connects = self.shared.sources.hub.connects();
        text.one("jpulse_redis_connects_total", "counter", "Attempts to connect to Redis.", connects);
        text.one(
            "jpulse_redis_report_microseconds",
            "gauge",
            "How long Redis took to take the last report.",
            record.process.redis_micros,
        );
        text.one(
            "jpulse_redis_memory_bytes",
            "gauge",
            "Memory Redis uses; of a cluster all primaries. The same on every instance.",
            record.site.redis_memory,
        );
        text.one(
            "jpulse_redis_memory_limit_bytes",
            "gauge",
            "Memory Redis may use; 0 without a limit. The same on every instance.",
            record.site.redis_memory_limit,
        );
        text.one(
            "jpulse_sessions_active",
            "gauge",
            "Sessions of the whole site that are not over; up to a minute late.",
            record.site.sessions,
        );
        text.one(
            "jpulse_store_up",
            "gauge",
            "1 when the store answered last.",
            u64::from(record.process.is_store_well),
        );
        let reads = [
            ("level=\"memory\"", cache.memory),
            ("level=\"redis\"", cache.redis),
            ("level=\"store\"", cache.store),
            ("level=\"last_known\"", cache.last_known),
        ];
        text.line("jpulse_config_reads_total", "counter", "Reads of configuration by where it was found.", &reads);
        let sockets: Vec<(String, u64)> =
            record.namespaces.iter().map(|it| (format!("endpoint=\"{}\"", escape(&it.path)), it.connections)).collect();
        text.lines("jpulse_sockets", "gauge", "Sockets and event streams open now.", &sockets);
        let received: Vec<(String, u64)> =
            record.namespaces.iter().map(|it| (format!("endpoint=\"{}\"", escape(&it.path)), it.messages)).collect();
        text.lines("jpulse_socket_messages_total", "counter", "Messages browsers sent.", &received);
        text.one("jpulse_signed_in_users", "gauge", "Users signed in on open sockets.", relay.users);
        text.one("jpulse_sockets_opened_total", "counter", "Sockets and event streams opened.", relay.opened);
        text.one("jpulse_http_requests_under_way", "gauge", "Requests being answered.", record.connections.http);
        text.one("jpulse_http_requests_total", "counter", "Requests answered.", record.traffic.requests);
        text.one(
            "jpulse_http_failures_total",
            "counter",
            "Requests answered with 500 and above.",
            record.traffic.failures,
        );
        text.head("jpulse_http_seconds", "histogram", "How long requests took.");
        text.histogram("jpulse_http_seconds", "", &self.shared.requests.latency());
        text.head("jpulse_custom", "gauge", "What components measure.");
        for (name, measured) in &record.custom {
            let _ = writeln!(text.0, "jpulse_custom{{name=\"{name}\"}} {}", measured.value);
        }
        text.0
    }
}

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn line(&mut self, name: &str, kind: &str, help: &str, values: &[(&str, u64)]) {
        self.head(name, kind, help);
        for (labels, value) in values {
            let _ = writeln!(self.0, "{name}{{{labels}}} {value}");
        }
    }

    fn lines(&mut self, name: &str, kind: &str, help: &str, values: &[(String, u64)]) {
        let values: Vec<(&str, u64)> = values.iter().map(|(labels, value)| (labels.as_str(), *value)).collect();
        self.line(name, kind, help, &values);
    }

    /// Buckets add up, and are in seconds.
    fn histogram(&mut self, name: &str, labels: &str, snapshot: &Snapshot) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut sum = 0;
        for (bound, count) in BOUNDS.iter().zip(snapshot.buckets) {
            sum += count;
            let _ = writeln!(self.0, "{name}_bucket{{{labels}{comma}le=\"{}\"}} {sum}", seconds(*bound));
        }
        let braced = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(self.0, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {}", snapshot.count());
        let _ = writeln!(self.0, "{name}_sum{braced} {}", seconds(snapshot.sum));
        let _ = writeln!(self.0, "{name}_count{braced} {}", snapshot.count());
    }
}

/// Milliseconds as seconds.
fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}

/// As a label's value: a site owner names endpoints.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::Histogram;

    #[test]
    fn a_histogram_adds_up_in_seconds() {
        let histogram = Histogram::default();
        for milliseconds in [1, 3, 9_000] {
            histogram.record(milliseconds);
        }
        let mut text = Text::default();
        text.histogram("x", "layer=\"view\"", &histogram.snapshot());
        for line in [
            "x_bucket{layer=\"view\",le=\"0.001\"} 1",
            "x_bucket{layer=\"view\",le=\"0.005\"} 2",
            "x_bucket{layer=\"view\",le=\"2.500\"} 2",
            "x_bucket{layer=\"view\",le=\"+Inf\"} 3",
            "x_sum{layer=\"view\"} 9.004",
            "x_count{layer=\"view\"} 3",
        ] {
            assert!(text.0.lines().any(|found| found == line), "{line} in\n{}", text.0);
        }
    }
}
