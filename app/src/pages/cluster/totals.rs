//! The cluster in a few numbers.

use leptos::prelude::*;

use crate::observatory::TotalsView;

/// All instances together: how many run, what is open, how much they use.
#[component]
pub fn Totals(totals: TotalsView) -> impl IntoView {
    let readings = [
        ("Servers", totals.servers.to_string()),
        ("Running instances", totals.running.to_string()),
        ("Stopping", totals.stopped.to_string()),
        ("With errors", totals.errored.to_string()),
        ("Restarts", totals.restarts.to_string()),
        ("Sockets", totals.sockets.to_string()),
        ("Endpoints", totals.endpoints.to_string()),
        ("Sessions", totals.sessions.to_string()),
        ("Average processor", format!("{:.1} %", totals.cpu_percent)),
        ("Average load", format!("{:.2}", totals.load)),
        ("Memory", megabytes(totals.memory_bytes)),
        ("Memory of Redis", redis_memory(totals.redis_memory_bytes, totals.redis_limit_bytes)),
    ];
    let readings = readings
        .into_iter()
        .map(|(name, value)| {
            view! {
                <div>
                    <dt>{name}</dt>
                    <dd>{value}</dd>
                </div>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="totals">
            <h2 id="totals">"The whole cluster"</h2>
            <dl class="readings totals">{readings}</dl>
        </section>
    }
    .into_any()
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1024 / 1024)
}

fn redis_memory(used: u64, limit: u64) -> String {
    match (used, limit) {
        (0, _) => "no Redis".to_owned(),
        (used, 0) => format!("{}, no limit", megabytes(used)),
        (used, limit) => format!("{} of {}", megabytes(used), megabytes(limit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_redis_says_whether_it_is_limited() {
        const MEGABYTE: u64 = 1024 * 1024;
        assert_eq!(redis_memory(0, 0), "no Redis");
        assert_eq!(redis_memory(3 * MEGABYTE, 0), "3 MB, no limit");
        assert_eq!(redis_memory(3 * MEGABYTE, 100 * MEGABYTE), "3 MB of 100 MB");
    }
}
