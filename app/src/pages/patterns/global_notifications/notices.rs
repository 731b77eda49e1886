//! A form to tell everybody, and toasts of what others told.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::functions::SendNotice;
use crate::{
    channel,
    cluster::{SubscribeOptions, TypedChannel, use_broadcast},
    components::{
        notice::FormOutcome,
        toast::{Level, use_toasts},
    },
    pages::Notification,
};

/// Where notices are told. A malformed name does not compile.
pub(super) const SENT: TypedChannel<Notice> = channel!("view:system:notice:sent");

/// What everybody gets.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Notice {
    pub(super) text: String,
    /// `info`, `success`, `warning` or `error`.
    pub(super) level: String,
}

/// Listens for as long as it is on the page.
#[component]
pub(super) fn Notices() -> impl IntoView {
    let toasts = use_toasts();
    let last = RwSignal::new(None::<String>);
    // This tab's own notices too: whoever sends one sees what everybody sees.
    use_broadcast(SENT, SubscribeOptions::default(), move |notice, _meta| {
        // No browser publishes here, but other programs on this Redis may: what arrives is checked as well.
        if let Ok(said) = Notification::checked(&notice.text, "") {
            toasts.show(Level::parse(&notice.level), &said.message);
            last.set(Some(said.message));
        }
    });

    let send = ServerAction::<SendNotice>::new();
    let problem = move || send.value().get().and_then(Result::err).map(|problem| problem.to_string());
    let shown = move || last.get().unwrap_or_else(|| "Nothing yet".to_owned());
    view! {
        <section class="card" aria-labelledby="tell">
            <h2 id="tell">"Tell everybody"</h2>
            <FormOutcome />
            <p role="alert" class="notice notice-error" hidden=move || problem().is_none()>
                {problem}
            </p>
            <ActionForm action=send attr:class="stacked-form">
                <div class="field">
                    <label for="notice">"Message"</label>
                    <input id="notice" name="text" type="text" required maxlength="200" autocomplete="off" />
                </div>
                <div class="field">
                    <label for="level">"Level"</label>
                    <select id="level" name="level">
                        <option value="info">"Information"</option>
                        <option value="success">"Success"</option>
                        <option value="warning">"Warning"</option>
                    </select>
                </div>
                <button type="submit" class="button" disabled=move || send.pending().get()>
                    "Send"
                </button>
            </ActionForm>
            <p>"Last notice: " <output>{shown}</output></p>
        </section>
    }
    .into_any()
}
