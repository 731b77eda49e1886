//! The fault panel: break something and watch that nothing is lost. For developers, on their own machine.

mod functions;

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use web_sys::js_sys::Date;

use crate::{
    cluster::{SubscribeOptions, installed, publish, use_broadcast},
    components::toast::{Level, use_toasts},
    fault::{CUT_SECONDS, Fault, Heard, PAUSE_SECONDS, PROBED, Probe},
};

pub use functions::{CauseFault, MayCauseFaults, cause_fault, may_cause_faults};

/// Pause between two messages of a panel.
const EVERY: Duration = Duration::from_millis(200);
/// Pause before a message is sent again that may not have been taken.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// For how long the tab does nothing when it is stalled.
const STALL_MS: f64 = 5_000.0;

/// Buttons that break things beside counters that tell what became of messages; nothing where nothing may
/// be broken.
#[component]
pub fn FaultPanel() -> impl IntoView {
    let may = Resource::new(|| (), |()| may_cause_faults());
    view! { <Transition>{move || matches!(may.get(), Some(Ok(true))).then(|| view! { <Panel /> })}</Transition> }
        .into_any()
}

#[component]
fn Panel() -> impl IntoView {
    let heard = RwSignal::new(Heard::default());
    let published = RwSignal::new(0_u64);
    let is_sending = RwSignal::new(false);
    use_broadcast(PROBED, SubscribeOptions::default(), move |probe, meta| {
        heard.update(|heard| heard.take(probe, meta.recovered));
    });
    on_cleanup(move || is_sending.set(false));
    let switch = move |_| {
        is_sending.update(|is_sending| *is_sending = !*is_sending);
        if is_sending.get_untracked() {
            let uuid = installed().map(|link| link.uuid().to_string()).unwrap_or_default();
            send_row(format!("{uuid}-{}", Date::now()), is_sending, published);
        }
    };
    view! {
        <section class="card faults" aria-labelledby="faults">
            <h2 id="faults">"Break something"</h2>
            <p class="hint">
                "Open this page on both instances, let one of them send, and break what you like. Only on your own
                machine, in development."
            </p>
            <p class="buttons">
                <button type="button" class="button" aria-pressed=move || is_sending.get().to_string() on:click=switch>
                    {move || if is_sending.get() { "Stop sending" } else { "Send 5 messages a second" }}
                </button>
                <FaultButton fault=Fault::CutRedis label=format!("Cut Redis for {CUT_SECONDS} s") />
                <FaultButton fault=Fault::PauseRedis label=format!("Let Redis hang for {PAUSE_SECONDS} s") />
                <FaultButton fault=Fault::KillOther label="Kill the other instance" />
                <button type="button" class="button button-secondary" on:click=|_| stall()>
                    {format!("Stall this tab for {} s", STALL_MS / 1_000.0)}
                </button>
            </p>
            <dl class="readings counters">
                <Counter name="Published here" value=move || published.get() />
                <Counter name="Received" value=move || heard.with(|heard| heard.received) />
                <Counter name="Replayed" value=move || heard.with(|heard| heard.replayed) />
                <Counter name="Lost" value=move || heard.with(|heard| heard.lost) />
            </dl>
        </section>
    }
    .into_any()
}

#[component]
fn FaultButton(fault: Fault, #[prop(into)] label: String) -> impl IntoView {
    let toasts = use_toasts();
    let said = label.clone();
    let cause = move |_| {
        let said = said.clone();
        spawn_local(async move {
            match cause_fault(fault).await {
                Ok(()) => toasts.show(Level::Warning, format!("As you wished: {said}.")),
                Err(problem) => toasts.show(Level::Error, problem),
            }
        });
    };
    view! { <button type="button" class="button button-secondary" on:click=cause>{label}</button> }.into_any()
}

#[component]
fn Counter(name: &'static str, value: impl Fn() -> u64 + Send + Sync + 'static) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
        </div>
    }
    .into_any()
}

/// Sends one message behind the other. The next gets its number when the one before is known to be taken;
/// until then that one is sent again.
fn send_row(row: String, is_sending: RwSignal<bool>, published: RwSignal<u64>) {
    fn send(row: String, number: u64, is_sending: RwSignal<bool>, published: RwSignal<u64>) {
        spawn_local(async move {
            let taken = publish(PROBED, &Probe { row: row.clone(), number }).await;
            let (next, pause) = if taken.is_ok() { (number + 1, EVERY) } else { (number, AGAIN_AFTER) };
            if taken.is_ok() {
                published.try_update(|published| *published += 1);
            }
            // Gone with the page, or switched off.
            if is_sending.try_get_untracked() != Some(true) {
                return;
            }
            set_timeout(move || send(row, next, is_sending, published), pause);
        });
    }
    send(row, 1, is_sending, published);
}

/// Keeps the tab busy, as a page with too much to do.
fn stall() {
    let until = Date::now() + STALL_MS;
    while Date::now() < until {}
}
