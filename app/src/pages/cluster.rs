//! The observatory: every instance of the cluster, live, on one page of any of them.

mod functions;
mod instance;
mod totals;

use leptos::prelude::*;

use crate::{
    cluster::LiveResource,
    components::{page::PageHeader, skeleton::Skeleton, time::RelativeTime},
    error::Problem,
    observatory::{ClusterView, ErrorView, REPORTED, Reported, RouteView, TraceView},
    pages::{address, admin::Refused},
};

use instance::Instances;
use totals::Totals;

pub use functions::{ReadCluster, TraceMessage, read_cluster, trace_message};

/// Every instance, its numbers, and what went wrong.
#[component]
pub fn ClusterPage() -> impl IntoView {
    let news = RwSignal::new(0_u32);
    let cluster: LiveResource<ClusterView, Problem> =
        LiveResource::new(REPORTED, read_cluster, move |_: &mut ClusterView, _: Reported, _| {
            news.update(|count| *count = count.wrapping_add(1));
        });
    // The news holds no numbers: those are asked for, by whoever may see them.
    Effect::new(move |before: Option<u32>| {
        let count = news.get();
        if before.is_some_and(|before| before != count) {
            cluster.refetch();
        }
        count
    });
    view! {
        <PageHeader title="Cluster" lead="Every instance, what it does and what went wrong, as seen from any of them." />
        <Transition fallback=|| view! { <Skeleton lines=8 /> }>
            {move || cluster.get().map(|outcome| show(outcome).into_any())}
        </Transition>
        <Trace />
    }
    .into_any()
}

fn show(outcome: Result<ClusterView, Problem>) -> AnyView {
    match outcome {
        Ok(ClusterView { totals, instances, routes, errors, seen_by }) => view! {
            <p class="hint">"Seen from instance " {seen_by} ", new every ten seconds."</p>
            <Totals totals />
            <Instances instances />
            <Routes routes />
            <Errors errors />
        }
        .into_any(),
        Err(problem) => view! { <Refused problem page=address::CLUSTER /> }.into_any(),
    }
}

#[component]
fn Routes(routes: Vec<RouteView>) -> impl IntoView {
    let rows = routes
        .into_iter()
        .map(|RouteView { route, total, failed }| {
            view! {
                <tr>
                    <th scope="row">{route}</th>
                    <td>{total}</td>
                    <td>{failed}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="requests">
            <h2 id="requests">"Requests of the last five minutes"</h2>
            <div class="table-frame" role="region" aria-label="Table of requests" tabindex="0">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">"Route"</th>
                            <th scope="col">"Answered"</th>
                            <th scope="col">"With 400 and above"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Errors(errors: Vec<ErrorView>) -> impl IntoView {
    let is_empty = errors.is_empty();
    let entries = errors
        .into_iter()
        .map(|ErrorView { at, instance_id, place, message }| {
            view! {
                <li>
                    <p>
                        <strong>{message}</strong>
                    </p>
                    <p class="hint">{place} " on " {instance_id} ", " <RelativeTime at /></p>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="errors">
            <h2 id="errors">"Recent errors"</h2>
            {is_empty.then(|| view! { <p class="empty">"Nothing went wrong lately."</p> })}
            <ul role="list" aria-labelledby="errors">{entries}</ul>
        </section>
    }
    .into_any()
}

/// One message, followed to every instance.
#[component]
fn Trace() -> impl IntoView {
    let trace = Action::new(|(): &()| trace_message());
    let is_pending = trace.pending();
    let shown = move || {
        trace.value().get().map(|outcome| match outcome {
            Ok(TraceView { hops, silent }) => {
                let hops = hops
                    .into_iter()
                    .map(|hop| view! { <li>{format!("{:.2} ms: {}", hop.after_ms, hop.what)}</li> })
                    .collect_view();
                let silent = (!silent.is_empty())
                    .then(|| view! { <p class="notice notice-error">"Not heard from: " {silent.join(", ")}</p> });
                view! {
                    <ol aria-label="Hops">{hops}</ol>
                    {silent}
                }
                .into_any()
            }
            Err(problem) => view! { <p class="notice notice-error">{problem.to_string()}</p> }.into_any(),
        })
    };
    view! {
        <section class="card" aria-labelledby="trace">
            <h2 id="trace">"Follow one message"</h2>
            <p>"Publishes a message to all instances and shows when each of them had it."</p>
            <p class="actions">
                <button
                    type="button"
                    class="button"
                    disabled=is_pending
                    on:click=move |_| {
                        trace.dispatch(());
                    }
                >
                    "Publish and follow"
                </button>
            </p>
            <div aria-live="polite">{shown}</div>
        </section>
    }
    .into_any()
}
