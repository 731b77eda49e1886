//! A dashboard for everybody: what goes on on the whole site, live.

mod functions;

use leptos::prelude::*;

use crate::{
    cluster::LiveResource,
    components::{page::PageHeader, skeleton::Skeleton, time::RelativeTime},
    error::Problem,
    observatory::{ACTIVITY, Dashboard, DashboardAction},
};

pub use functions::{ReadDashboard, read_dashboard};

/// Who is here, what is done, and numbers of the whole site.
#[component]
pub fn DashboardPage() -> impl IntoView {
    let dashboard: LiveResource<Dashboard, Problem> =
        LiveResource::new(ACTIVITY, read_dashboard, |dashboard: &mut Dashboard, activity, _| dashboard.apply(activity));
    view! {
        <PageHeader title="Dashboard" lead="What goes on on all instances, as it happens." />
        <Transition fallback=|| view! { <Skeleton lines=6 /> }>
            {move || dashboard.get().map(|outcome| show(outcome).into_any())}
        </Transition>
    }
    .into_any()
}

fn show(outcome: Result<Dashboard, Problem>) -> AnyView {
    match outcome {
        Ok(Dashboard { active_users, stats, recent_actions }) => {
            let readings = [
                ("Connected browsers", active_users),
                ("Instances", stats.instances),
                ("Tasks", stats.tasks),
                ("Tasks done", stats.completed),
                ("Messages delivered", stats.messages),
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
            let is_empty = recent_actions.is_empty();
            let actions = recent_actions.into_iter().map(|action| view! { <Recent action /> }).collect_view();
            view! {
                <div class="columns">
                    <section class="card" aria-labelledby="now">
                        <h2 id="now">"Now"</h2>
                        <dl class="readings">{readings}</dl>
                    </section>
                    <section class="card" aria-labelledby="actions">
                        <h2 id="actions">"Recent actions"</h2>
                        {is_empty.then(|| view! { <p class="empty">"Change a task on the to-do page to see it here."</p> })}
                        <ul role="list" aria-labelledby="actions">{actions}</ul>
                    </section>
                </div>
            }
            .into_any()
        }
        Err(problem) => view! { <p class="notice notice-error" role="alert">{problem.to_string()}</p> }.into_any(),
    }
}

#[component]
fn Recent(action: DashboardAction) -> impl IntoView {
    let DashboardAction { kind, user, details, timestamp } = action;
    let user = if user.is_empty() { "Somebody".to_owned() } else { user };
    view! { <li>{user} " " {kind} " “" {details} "”, " <RelativeTime at=timestamp /></li> }.into_any()
}
