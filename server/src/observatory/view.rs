//! The cluster as the observatory's page shows it.

use app::observatory::{ClusterView, ErrorView, InstanceView, RouteView, TotalsView};

use crate::{
    clock::rfc3339,
    metrics::{Metrics, Point, Record, RecordedError, RequestCounts, Totals},
};

/// Minutes of requests.
const MINUTES: usize = 5;
/// Errors shown.
const ERRORS: usize = 10;
/// Routes shown.
const ROUTES: usize = 30;

pub(super) async fn cluster(metrics: &Metrics, seen_by: &str) -> ClusterView {
    let (mut records, counts, errors) =
        tokio::join!(metrics.instances(), metrics.requests(MINUTES), metrics.errors(ERRORS));
    records.sort_by(|one, other| (&one.server.name, &one.instance_id).cmp(&(&other.server.name, &other.instance_id)));
    let ids: Vec<String> = records.iter().map(|record| record.instance_id.clone()).collect();
    let histories = metrics.histories(&ids).await;
    ClusterView {
        totals: totals(&Totals::of(&records)),
        instances: records.iter().zip(histories).map(|(record, points)| instance(record, &points)).collect(),
        routes: routes(&counts),
        errors: errors.into_iter().map(error).collect(),
        seen_by: seen_by.to_owned(),
    }
}

fn totals(totals: &Totals) -> TotalsView {
    TotalsView {
        servers: totals.servers,
        running: totals.running,
        stopped: totals.stopped,
        errored: totals.errored,
        restarts: totals.restarts,
        endpoints: totals.endpoints,
        sockets: totals.sockets,
        sessions: totals.site.sessions,
        memory_bytes: totals.memory_bytes,
        cpu_percent: totals.average_cpu_percent,
        load: totals.average_load,
        redis_memory_bytes: totals.site.redis_memory,
        redis_limit_bytes: totals.site.redis_memory_limit,
    }
}

fn instance(record: &Record, points: &[Point]) -> InstanceView {
    let Record { traffic, process, .. } = record;
    InstanceView {
        id: record.instance_id.clone(),
        server: record.server.name.clone(),
        status: crate::metrics::report::shown_status(record).to_owned(),
        link: if process.outage.is_empty() {
            process.link.clone()
        } else {
            format!("{} ({})", process.link, process.outage)
        },
        version: process.version.clone(),
        uptime_seconds: record.uptime,
        restarts: process.restarts,
        sockets: record.connections.websocket,
        messages: traffic.published + traffic.delivered,
        latency_p50: traffic.latency_p50,
        latency_p99: traffic.latency_p99,
        gaps: traffic.gaps,
        dropped: traffic.dropped,
        slow_sockets: traffic.slow_sockets,
        outbox: traffic.outbox,
        redis_micros: process.redis_micros,
        memory_bytes: record.memory.rss,
        cpu_percent: record.cpu.percent,
        rates: rates(points),
    }
}

/// Messages a second between each two points.
fn rates(points: &[Point]) -> Vec<f64> {
    let between = |pair: &[Point]| {
        let milliseconds = pair[1].timestamp.saturating_sub(pair[0].timestamp).max(1);
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let rate = pair[1].messages.saturating_sub(pair[0].messages) as f64 * 1_000.0 / milliseconds as f64;
        rate
    };
    points.windows(2).map(between).collect()
}

fn routes(counts: &RequestCounts) -> Vec<RouteView> {
    let mut routes: Vec<RouteView> = Vec::new();
    for (field, count) in &counts.fields {
        let Some((route, status)) = field.rsplit_once(':') else { continue };
        let failed = if status.parse().is_ok_and(|status: u16| status >= 400) { *count } else { 0 };
        match routes.iter_mut().find(|known| known.route == route) {
            Some(known) => (known.total, known.failed) = (known.total + count, known.failed + failed),
            None => routes.push(RouteView { route: route.to_owned(), total: *count, failed }),
        }
    }
    routes.sort_by_key(|route| std::cmp::Reverse(route.total));
    routes.truncate(ROUTES);
    routes
}

fn error(error: RecordedError) -> ErrorView {
    let RecordedError { message, instance_id, timestamp, context, .. } = error;
    let place = format!("{} {} {}", context.method, context.url, context.status);
    ErrorView { at: rfc3339(timestamp), instance_id, place: place.trim().to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_what_came_between_two_points() {
        let point = |timestamp, messages| Point { timestamp, messages, ..Point::default() };
        assert_eq!(rates(&[point(0, 0), point(10_000, 50), point(11_000, 10)]), [5.0, 0.0]);
    }
}
