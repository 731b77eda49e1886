//! The motto of the day: its value, where it came from, and how far it has spread.

use leptos::prelude::*;

use super::functions::{SaveMotto, read_motto};
use crate::{
    cluster::{LiveResource, SubscribeOptions, use_broadcast},
    components::{mounted::use_mounted, notice::FormOutcome, skeleton::Skeleton, time::RelativeTime},
    error::Problem,
    motto::{CHANGED, Motto, MottoReach, MottoReading, REACHED},
};

/// Instances that are listed at most.
const LISTED: usize = 64;

/// The value, a form to change it, and the times of the last change.
#[component]
pub(super) fn MottoCard() -> impl IntoView {
    let motto: LiveResource<MottoReading, Problem> =
        LiveResource::new(CHANGED, read_motto, |reading: &mut MottoReading, news, _meta| reading.hear(&news));
    // The news say only that there is another one: it is read from this page's own instance.
    Effect::new(move || {
        if motto.with(|reading| matches!(reading, Some(Ok(reading)) if reading.level.is_none())) {
            motto.refetch();
        }
    });
    let reach = RwSignal::new(None);
    use_broadcast(REACHED, SubscribeOptions::default(), move |news, _meta| reach.set(Some(news)));
    view! {
        <div class="columns">
            <section class="card" aria-labelledby="motto">
                <h2 id="motto">"Motto of the day"</h2>
                <Transition fallback=|| view! { <Skeleton lines=4 /> }>
                    {move || match motto.get()? {
                        Ok(reading) => Some(view! { <Reading reading read_again=move || motto.refetch() /> }.into_any()),
                        Err(problem) => Some(view! { <p role="alert">{problem.to_string()}</p> }.into_any()),
                    }}
                </Transition>
            </section>
            <section class="card" aria-labelledby="change">
                <h2 id="change">"Change it"</h2>
                <Form />
                <div aria-live="polite">{move || reach.get().map(|reach| view! { <Reach reach /> })}</div>
            </section>
        </div>
    }
    .into_any()
}

#[component]
fn Reading(reading: MottoReading, read_again: impl Fn() + 'static) -> impl IntoView {
    let is_mounted = use_mounted();
    let MottoReading { text, version, changed_at, instance_id, level } = reading;
    let text = if text.is_empty() { "None yet".to_owned() } else { text };
    let changed = (!changed_at.is_empty()).then(|| view! { <RelativeTime at=changed_at /> });
    view! {
        <p class="motto">{text}</p>
        <dl class="readings">
            <div>
                <dt>"Version"</dt>
                <dd>{version}</dd>
            </div>
            <div>
                <dt>"Changed"</dt>
                <dd>{changed.map_or_else(|| "Never".into_any(), IntoAny::into_any)}</dd>
            </div>
            <div>
                <dt>"Asked"</dt>
                <dd>{instance_id}</dd>
            </div>
            <div>
                <dt>"Answered by"</dt>
                <dd>{level.map_or("…", |level| level.name())}</dd>
            </div>
        </dl>
        <p>
            <button
                type="button"
                class="button button-secondary"
                hidden=move || !is_mounted.get()
                on:click=move |_| read_again()
            >
                "Read it again"
            </button>
        </p>
    }
    .into_any()
}

#[component]
fn Form() -> impl IntoView {
    let save = ServerAction::<SaveMotto>::new();
    let problem = move || save.value().get().and_then(Result::err).map(|problem| problem.to_string());
    view! {
        <FormOutcome />
        <p role="alert" class="notice notice-error" hidden=move || problem().is_none()>
            {problem}
        </p>
        <ActionForm action=save attr:class="stacked-form">
            <div class="field">
                <label for="new-motto">"New motto"</label>
                <input
                    id="new-motto"
                    name="text"
                    type="text"
                    required
                    autocomplete="off"
                    maxlength=Motto::MAX_CHARS.to_string()
                    aria-describedby="motto-hint"
                />
                <p id="motto-hint" class="hint">
                    "Everybody sees it. One line, no more than one change a second from all visitors together."
                </p>
            </div>
            <button type="submit" class="button">
                "Save"
            </button>
        </ActionForm>
    }
    .into_any()
}

/// When each instance had the last change.
#[component]
fn Reach(reach: MottoReach) -> impl IntoView {
    let MottoReach { version, instances, silent } = reach;
    let within = instances.iter().map(|reached| reached.after_ms).fold(0.0, f64::max);
    let summary = if silent.is_empty() {
        format!("Version {version} was on all {} instances within {within:.0} ms.", instances.len())
    } else {
        format!("Version {version}: {} instances did not answer within a second.", silent.len())
    };
    let rows = instances
        .into_iter()
        .take(LISTED)
        .map(|reached| {
            view! {
                <div>
                    <dt>{reached.instance_id}</dt>
                    <dd>{format!("{:.0} ms, from {}", reached.after_ms, reached.level.name())}</dd>
                </div>
            }
        })
        .collect_view();
    view! {
        <p>{summary}</p>
        <dl class="readings">{rows}</dl>
    }
    .into_any()
}
