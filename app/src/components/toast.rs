//! Toasts: short messages that pass.

use std::{fmt, time::Duration};

use leptos::{ev, prelude::*};

/// Toasts on the screen at most; one more puts the oldest away.
const SHOWN_MAX: usize = 5;
/// Characters of a toast at most; the rest is cut off.
const TEXT_CHARS: usize = 300;
/// The event by which plain scripts raise a toast: `detail` is `{message, level}`.
const EVENT: &str = "jpulse:toast";

/// How much a toast matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Good to know.
    Info,
    /// Something worked.
    Success,
    /// Something to keep an eye on.
    Warning,
    /// Something failed. Stays until it is put away.
    Error,
}

impl Level {
    /// Reads a level as plain scripts write it; anything unknown is information.
    pub fn parse(name: &str) -> Self {
        match name {
            "success" => Self::Success,
            "warning" => Self::Warning,
            "error" => Self::Error,
            _ => Self::Info,
        }
    }

    /// How long such a toast stays; `None`: until it is put away.
    const fn lifetime(self) -> Option<Duration> {
        match self {
            Self::Info | Self::Success => Some(Duration::from_secs(6)),
            Self::Warning => Some(Duration::from_secs(12)),
            Self::Error => None,
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Info => "toast toast-info",
            Self::Success => "toast toast-success",
            Self::Warning => "toast toast-warning",
            Self::Error => "toast toast-error",
        }
    }

    /// Said before the text, so that the level is not a matter of colour alone.
    const fn label(self) -> &'static str {
        match self {
            Self::Info => "Info",
            Self::Success => "Done",
            Self::Warning => "Warning",
            Self::Error => "Error",
        }
    }
}

#[derive(Clone)]
struct Toast {
    id: u64,
    level: Level,
    text: String,
    /// How often it was shown, one upon the other.
    times: usize,
}

/// Shows toasts, from anywhere below [`provide_toasts`].
#[derive(Clone, Copy)]
pub struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    next_id: StoredValue<u64>,
}

impl Toasts {
    /// Shows `text`, at most [`SHOWN_MAX`] toasts at a time. What is on the screen already is counted there.
    pub fn show(self, level: Level, text: impl fmt::Display) {
        let id = self.next_id.get_value();
        self.next_id.set_value(id + 1);
        let text: String = text.to_string().chars().take(TEXT_CHARS).collect();
        self.shown.update(|shown| {
            let same = shown.iter().position(|toast| toast.level == level && toast.text == text);
            let times = same.map_or(0, |place| shown.remove(place).times) + 1;
            if shown.len() == SHOWN_MAX {
                shown.remove(0);
            }
            shown.push(Toast { id, level, text, times });
        });
        if let Some(lifetime) = level.lifetime() {
            set_timeout(move || self.dismiss(id), lifetime);
        }
    }

    fn dismiss(self, id: u64) {
        self.shown.update(|shown| shown.retain(|toast| toast.id != id));
    }
}

/// Makes [`use_toasts`] work below the calling component.
pub fn provide_toasts() {
    provide_context(Toasts { shown: RwSignal::new(Vec::new()), next_id: StoredValue::new(0) });
}

/// The page's toasts.
///
/// On the server, toasts go nowhere.
///
/// # Panics
///
/// Outside of the application: there is no [`provide_toasts`] above.
pub fn use_toasts() -> Toasts {
    expect_context()
}

/// Where toasts appear; also listens for those that plain scripts raise.
#[component]
pub fn ToastRegion() -> impl IntoView {
    let toasts = use_toasts();
    Effect::new(move |_| {
        let listener = window_event_listener(ev::Custom::new(EVENT), move |event: web_sys::CustomEvent| {
            let detail = event.detail();
            let field = |name: &str| web_sys::js_sys::Reflect::get(&detail, &name.into()).ok()?.as_string();
            if let Some(message) = field("message") {
                toasts.show(Level::parse(&field("level").unwrap_or_default()), message);
            }
        });
        on_cleanup(move || listener.remove());
    });
    view! {
        <div class="toasts" role="status" aria-live="polite" aria-label="Messages">
            <For each=move || toasts.shown.get() key=|toast| toast.id let:toast>
                <div class=toast.level.class()>
                    <p>
                        <strong class="toast-level">{toast.level.label()}</strong>
                        " "
                        {toast.text}
                        {(toast.times > 1).then(|| format!(" ×{}", toast.times))}
                    </p>
                    <button
                        type="button"
                        class="button-icon"
                        aria-label="Dismiss message"
                        on:click=move |_| toasts.dismiss(toast.id)
                    >
                        <svg viewBox="0 0 16 16" aria-hidden="true">
                            <path d="M4 4l8 8m0-8l-8 8" />
                        </svg>
                    </button>
                </div>
            </For>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn an_unknown_level_is_information() {
        assert_eq!(Level::parse("warning"), Level::Warning);
        assert_eq!(Level::parse("shout"), Level::Info);
    }
}
