//! Telling everybody who has a page open, and what they were told.

mod functions;

use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    components::{notice::FormOutcome, page::PageHeader, skeleton::Skeleton, time::RelativeTime},
    error::Problem,
    pages::{address, admin::Refused},
    system_notification::{LoggedNotification, NotificationDraft, Severity},
};

pub use functions::{ReadNotifications, SendSystemNotification, read_notifications, send_system_notification};

/// The form and the log.
#[component]
pub fn AdminNotificationsPage() -> impl IntoView {
    let log = Resource::new(|| (), |()| read_notifications());
    view! {
        <PageHeader
            title="Tell everybody"
            lead="A line for every open page, on every instance. What is critical stands in the way until it is read."
        />
        <Transition fallback=|| view! { <Skeleton lines=6 /> }>
            {move || {
                log.get()
                    .map(|outcome| match outcome {
                        Ok(log) => view! { <Board log /> }.into_any(),
                        Err(problem) => view! { <Refused problem page=address::ADMIN_NOTIFICATIONS /> }.into_any(),
                    })
            }}
        </Transition>
    }
    .into_any()
}

/// For administrators: works as a plain form, so that it leads to a page with the new entry.
#[component]
fn Board(log: Vec<LoggedNotification>) -> impl IntoView {
    let levels = Severity::ALL
        .into_iter()
        .map(|level| view! { <option value=level.as_str()>{label(level)}</option> })
        .collect_view();
    let is_empty = log.is_empty();
    view! {
        <section class="card" aria-labelledby="tell">
            <h2 id="tell">"Tell"</h2>
            <FormOutcome />
            <form class="stacked-form" method="post" action=SendSystemNotification::url()>
                <div class="field">
                    <label for="notice-message">"Message"</label>
                    <input
                        id="notice-message"
                        name="message"
                        type="text"
                        required
                        autocomplete="off"
                        maxlength=NotificationDraft::MAX_CHARS.to_string()
                    />
                </div>
                <div class="field">
                    <label for="notice-level">"Level"</label>
                    <select id="notice-level" name="level">
                        {levels}
                    </select>
                </div>
                <label class="check">
                    <input type="checkbox" name="critical" value="true" />
                    " Critical: a dialogue, until it is read"
                </label>
                <button type="submit" class="button">
                    "Tell everybody"
                </button>
            </form>
        </section>
        <section class="card" aria-labelledby="told">
            <h2 id="told">"Told before"</h2>
            {is_empty.then(|| view! { <p class="empty">"Nothing yet. What is told is kept here, the latest 1,000."</p> })}
            <ol class="messages" role="list" aria-labelledby="told">
                {log.into_iter().map(|entry| view! { <Entry entry /> }).collect_view()}
            </ol>
        </section>
    }
    .into_any()
}

#[component]
fn Entry(entry: LoggedNotification) -> impl IntoView {
    let LoggedNotification { admin_user, sent, .. } = entry;
    view! {
        <li class="message">
            <p class="message-text">{sent.message}</p>
            <p class="message-origin">
                {label(sent.level)} {sent.critical.then_some(", critical")} ", " {admin_user} ", "
                <RelativeTime at=sent.timestamp />
            </p>
        </li>
    }
    .into_any()
}

const fn label(level: Severity) -> &'static str {
    match level {
        Severity::Info => "Info",
        Severity::Success => "Success",
        Severity::Warning => "Warning",
        Severity::Error => "Error",
    }
}

/// What the form's problem says.
impl From<crate::system_notification::DraftError> for Problem {
    fn from(_: crate::system_notification::DraftError) -> Self {
        Self::SystemNotification
    }
}
