//! A few numbers that stay current.

use leptos::prelude::*;

use crate::{
    cluster::LiveResource,
    components::{skeleton::Skeleton, time::RelativeTime},
    error::Problem,
    observatory::{ACTIVITY, Dashboard},
    pages::dashboard::read_dashboard,
};

/// Loads once, then applies what is told on the channel.
#[component]
pub(super) fn Numbers() -> impl IntoView {
    let dashboard: LiveResource<Dashboard, Problem> =
        LiveResource::new(ACTIVITY, read_dashboard, |dashboard: &mut Dashboard, activity, _meta| {
            // The same twice changes nothing: a message may be in the data already.
            dashboard.apply(activity);
        });
    let show = |dashboard: Dashboard| {
        let Dashboard { active_users, stats, recent_actions } = dashboard;
        let latest = recent_actions.into_iter().next().map(|action| {
            view! { <p>"Latest: " {action.kind} " “" {action.details} "”, " <RelativeTime at=action.timestamp /></p> }
        });
        view! {
            <dl class="readings">
                <div>
                    <dt>"Connected browsers"</dt>
                    <dd>{active_users}</dd>
                </div>
                <div>
                    <dt>"Instances"</dt>
                    <dd>{stats.instances}</dd>
                </div>
                <div>
                    <dt>"Tasks / done"</dt>
                    <dd>{stats.tasks} " / " {stats.completed}</dd>
                </div>
            </dl>
            {latest}
        }
    };
    view! {
        <section class="card" aria-labelledby="numbers">
            <h2 id="numbers">"Now"</h2>
            <Transition fallback=|| view! { <Skeleton lines=4 /> }>
                {move || match dashboard.get()? {
                    Ok(dashboard) => Some(show(dashboard).into_any()),
                    Err(problem) => Some(view! { <p role="alert">{problem.to_string()}</p> }.into_any()),
                }}
            </Transition>
        </section>
    }
    .into_any()
}
