//! The log of the console.

use leptos::prelude::*;
use web_sys::js_sys::Date;

/// Frames kept; the oldest go.
const KEPT: usize = 200;

/// What a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A frame that went out.
    Sent,
    /// A frame that came.
    Received,
    /// Something about the connection.
    Note,
}

impl Kind {
    /// For the style sheet.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Note => "note",
        }
    }

    /// For people.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Sent => "Sent",
            Self::Received => "Received",
            Self::Note => "Connection",
        }
    }
}

/// One line of the log.
#[derive(Clone)]
pub(super) struct Frame {
    pub(super) key: usize,
    pub(super) kind: Kind,
    pub(super) text: String,
    /// The time of the day here.
    pub(super) at: String,
}

/// The log, the latest first.
#[derive(Clone, Copy)]
pub(super) struct Frames {
    pub(super) kept: RwSignal<Vec<Frame>>,
    count: StoredValue<usize>,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self { kept: RwSignal::default(), count: StoredValue::new(0) }
    }

    /// Adds a line; JSON is written over several lines.
    pub(super) fn keep(self, kind: Kind, text: String) {
        // The page may be gone when a frame comes.
        let Some(key) = self.count.try_get_value() else { return };
        self.count.set_value(key + 1);
        let at = String::from(Date::new_0().to_locale_time_string("en-GB"));
        let text = readable(&text).unwrap_or(text);
        self.kept.update(|kept| {
            kept.insert(0, Frame { key, kind, text, at });
            kept.truncate(KEPT);
        });
    }
}

fn readable(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    serde_json::to_string_pretty(&value).ok()
}
