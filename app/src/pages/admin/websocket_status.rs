//! How the WebSocket endpoints are doing: rendered, then live every five seconds.

mod functions;
mod log;
mod table;

use leptos::prelude::*;

use crate::{
    cluster::use_endpoint,
    components::{badge::EndpointBadge, page::PageHeader, skeleton::Skeleton, time::RelativeTime},
    pages::{address, admin::Refused},
    websocket::{self, StatsUpdate},
};

pub use functions::{ReadWebSocketStats, read_web_socket_stats};

use log::ActivityLog;
use table::EndpointTable;

/// The lights, the numbers and what happened lately.
#[component]
pub fn WebSocketStatusPage() -> impl IntoView {
    let first = Resource::new(|| (), |()| read_web_socket_stats());
    view! {
        <PageHeader
            title="WebSocket status"
            lead="Who is connected to which endpoint, on all instances, and what happens there. Live every five seconds."
        />
        <Transition fallback=|| view! { <Skeleton lines=6 /> }>
            {move || {
                first
                    .get()
                    .map(|outcome| match outcome {
                        Ok(first) => view! { <Live first /> }.into_any(),
                        Err(problem) => view! { <Refused problem page=address::ADMIN_WEBSOCKET_STATUS /> }.into_any(),
                    })
            }}
        </Transition>
    }
    .into_any()
}

/// The rendered numbers until the endpoint tells newer ones.
#[component]
fn Live(first: StatsUpdate) -> impl IntoView {
    let stats = RwSignal::new(first);
    let endpoint = use_endpoint(websocket::path_of(websocket::STATUS), move |frame| {
        if frame["type"] == "stats-update"
            && let Ok(update) = serde_json::from_value(frame["data"].clone())
        {
            stats.set(update);
        }
    });
    let sum = move |of: fn(&websocket::EndpointStats) -> usize| {
        stats.with(|stats| stats.endpoints.values().map(of).sum::<usize>())
    };
    view! {
        <div class="card-head">
            <p>
                "Connections: " {move || sum(|endpoint| endpoint.connections)} ", messages a minute: "
                {move || sum(|endpoint| usize::try_from(endpoint.counts.messages_per_minute).unwrap_or_default())}
                ", as of " {move || view! { <RelativeTime at=stats.with(|stats| stats.timestamp.clone()) /> }}
            </p>
            <EndpointBadge status=endpoint.status() />
        </div>
        <section class="card" aria-labelledby="endpoints">
            <h2 id="endpoints">"Endpoints"</h2>
            <EndpointTable stats=stats.into() />
            <p class="hint">"Green: in use. Yellow: idle for 5 minutes. Red: idle for half an hour, or never used."</p>
        </section>
        <ActivityLog stats=stats.into() />
    }
    .into_any()
}
