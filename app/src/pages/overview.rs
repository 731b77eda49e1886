//! The demo's first page: this instance and this browser, live.

mod faults;
mod status;

use std::time::Duration;

use leptos::prelude::*;

use crate::{
    cluster::{LinkState, use_cluster_mode, use_link_state},
    components::{nav::PageLink, page::PageHeader, skeleton::Skeleton, time::time_span},
    error::Problem,
    pages::address,
};

use faults::FaultPanel;
pub use faults::{CauseFault, MayCauseFaults, cause_fault, may_cause_faults};
pub use status::{InstanceStatus, ReadStatus, read_status};

/// How often the instance is asked how it is, while somebody looks.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// How this instance and this browser stand, and where the demo goes on.
#[component]
pub fn OverviewPage() -> impl IntoView {
    view! {
        <PageHeader
            title="Application cluster"
            lead="Several instances, one application: what happens on one is seen on all of them."
        />
        <div class="columns">
            <InstanceCard />
            <BrowserCard />
        </div>
        <FaultPanel />
        <section class="explain" aria-labelledby="patterns">
            <h2 id="patterns">"Two patterns"</h2>
            <dl class="facts">
                <div>
                    <dt>
                        <PageLink href=address::NOTIFICATIONS>"Browsers broadcast"</PageLink>
                    </dt>
                    <dd>"Pattern A: for news that need not be checked or kept, such as “somebody is typing”."</dd>
                </div>
                <div>
                    <dt>
                        <PageLink href=address::COLLABORATIVE_TODO>"The server broadcasts"</PageLink>
                    </dt>
                    <dd>"Pattern B: check, save, answer, then tell everybody. For anything that must be true tomorrow."</dd>
                </div>
            </dl>
            <p>
                "What sites make of the two: "
                <PageLink href=address::PATTERNS>"five patterns, live and with their source"</PageLink>
                "."
            </p>
        </section>
    }
    .into_any()
}

#[component]
fn InstanceCard() -> impl IntoView {
    let status = Resource::new(|| (), |()| read_status());
    let link = use_link_state();
    // Asked again when the link changes, which may mean another instance, and now and then while visible.
    Effect::new(move |last: Option<LinkState>| {
        let link = link.get();
        if last.is_some_and(|last| last != link) {
            status.refetch();
        }
        link
    });
    Effect::new(move |_| {
        let ask = move || {
            if !document().hidden() {
                status.refetch();
            }
        };
        if let Ok(timer) = set_interval_with_handle(ask, ASK_EVERY) {
            on_cleanup(move || timer.clear());
        }
    });
    view! {
        <section class="card" aria-labelledby="instance">
            <h2 id="instance">"This instance"</h2>
            <Transition fallback=|| view! { <Skeleton lines=5 /> }>
                {move || status.get().map(|outcome| show_status(outcome).into_any())}
            </Transition>
        </section>
    }
    .into_any()
}

fn show_status(outcome: Result<InstanceStatus, Problem>) -> impl IntoView {
    match outcome {
        Ok(status) => view! {
            <dl class="readings">
                <Reading name="Other instances" value=reach(&status) />
                <Reading name="Instance" value=status.instance_id />
                <Reading name="Redis mode" value=status.redis_mode />
                <Reading name="Connected browsers" value=status.sockets.to_string() />
                <Reading name="Running for" value=time_span(status.uptime_seconds) />
            </dl>
        }
        .into_any(),
        Err(problem) => view! { <p class="notice notice-error" role="alert">{problem.to_string()}</p> }.into_any(),
    }
}

fn reach(status: &InstanceStatus) -> String {
    match &status.outage {
        _ if status.is_redis_available => "Reached through Redis".to_owned(),
        Some(outage) => format!("Not reached: {outage}"),
        None => "Not reached: local mode".to_owned(),
    }
}

#[component]
fn Reading(name: &'static str, #[prop(into)] value: String) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
        </div>
    }
    .into_any()
}

#[component]
fn BrowserCard() -> impl IntoView {
    let link = use_link_state();
    let is_cluster = use_cluster_mode();
    let connection = move || match link.get() {
        LinkState::Connecting => "Not connected yet",
        LinkState::Connected => "Connected",
        LinkState::Reconnecting => "Lost, trying again",
        LinkState::Stopped => "Ended",
    };
    let reach = move || if is_cluster.get() { "Every instance" } else { "This instance only" };
    view! {
        <section class="card" aria-labelledby="browser">
            <h2 id="browser">"This browser"</h2>
            <dl class="readings">
                <div>
                    <dt>"Live connection"</dt>
                    <dd>{connection}</dd>
                </div>
                <div>
                    <dt>"Broadcasts reach"</dt>
                    <dd>{reach}</dd>
                </div>
            </dl>
            <noscript>
                <p class="hint">"Scripts are off: forms work, live updates do not. Reload to see what is new."</p>
            </noscript>
        </section>
    }
    .into_any()
}
