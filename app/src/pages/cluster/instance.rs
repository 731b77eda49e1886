//! The instances on a map of their servers.

use leptos::prelude::*;

use crate::{components::time::time_span, observatory::InstanceView};

/// Width and height of a sparkline, in its own units.
const SPARK: (f64, f64) = (120.0, 24.0);

/// Every instance, by the server it runs on.
#[component]
pub fn Instances(instances: Vec<InstanceView>) -> impl IntoView {
    let mut servers: Vec<(String, Vec<InstanceView>)> = Vec::new();
    for instance in instances {
        match servers.last_mut() {
            Some((server, members)) if *server == instance.server => members.push(instance),
            _ => servers.push((instance.server.clone(), vec![instance])),
        }
    }
    servers
        .into_iter()
        .map(|(server, members)| {
            let label = format!("Instances on {server}");
            let members = members.into_iter().map(|instance| view! { <Instance instance /> }).collect_view();
            view! {
                <section class="card" aria-label=label>
                    <h2>{server}</h2>
                    {members}
                </section>
            }
        })
        .collect_view()
        .into_any()
}

#[component]
fn Instance(instance: InstanceView) -> impl IntoView {
    let rate = instance.rates.last().copied().unwrap_or_default();
    let readings = [
        ("Link to Redis", instance.link.clone()),
        ("Version", instance.version.clone()),
        ("Running for", time_span(instance.uptime_seconds)),
        ("Restarts", instance.restarts.to_string()),
        ("Messages", instance.messages.to_string()),
        ("Delivered within", format!("{} ms (p50), {} ms (p99)", instance.latency_p50, instance.latency_p99)),
        ("Redis answers within", format!("{} µs", instance.redis_micros)),
        ("Waiting for Redis", instance.outbox.to_string()),
        ("Gaps", instance.gaps.to_string()),
        ("Dropped messages", instance.dropped.to_string()),
        ("Sockets closed as too slow", instance.slow_sockets.to_string()),
        ("Memory", format!("{} MB", instance.memory_bytes / 1024 / 1024)),
        ("Processor", format!("{:.1} %", instance.cpu_percent)),
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
        <details class="instance">
            <summary>
                <strong>{instance.id}</strong>
                " "
                <span>{instance.status}</span>
                ", "
                {match instance.sockets {
                    1 => "1 socket, ".to_owned(),
                    sockets => format!("{sockets} sockets, "),
                }}
                {format!("{rate:.1} messages a second ")}
                <Sparkline values=instance.rates />
            </summary>
            <dl class="readings">{readings}</dl>
        </details>
    }
    .into_any()
}

/// How a number went, as a small line; the number itself stands beside it.
#[component]
fn Sparkline(values: Vec<f64>) -> impl IntoView {
    let (width, height) = SPARK;
    view! {
        <svg class="sparkline" viewBox=format!("0 0 {width} {height}") aria-hidden="true">
            <polyline points=points(&values) />
        </svg>
    }
    .into_any()
}

/// The line's points, the largest value at the top.
fn points(values: &[f64]) -> String {
    let (width, height) = SPARK;
    let most = values.iter().copied().fold(1.0, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "an hour has few points")]
    let step = width / (values.len().saturating_sub(1).max(1) as f64);
    let point = |(place, value): (usize, &f64)| {
        #[expect(clippy::cast_precision_loss, reason = "an hour has few points")]
        let x = place as f64 * step;
        format!("{x:.1},{:.1}", height - value / most * (height - 2.0) - 1.0)
    };
    values.iter().enumerate().map(point).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::points;

    #[test]
    fn a_line_goes_from_left_to_right_and_stays_inside() {
        assert_eq!(points(&[]), "");
        assert_eq!(points(&[0.0, 2.0, 1.0]), "0.0,23.0 60.0,1.0 120.0,12.0");
    }
}
