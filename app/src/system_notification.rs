//! What an administrator tells everybody who has a page open.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where such notifications are broadcast. Channels below `view:system:` are the server's own: browsers
/// hear them and cannot publish there.
pub const GLOBAL: &str = "view:system:notification:global";

/// A notification as it is broadcast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SystemNotification {
    /// What everybody is told.
    pub message: String,
    /// How much it matters.
    pub level: Severity,
    /// Whether it stands in everybody's way until they have seen it.
    #[serde(default)]
    pub critical: bool,
    /// When it was sent; RFC 3339, with milliseconds.
    pub timestamp: String,
}

/// A notification as it is kept, for administrators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedNotification {
    /// Unique; 24 hexadecimal digits.
    #[serde(rename = "_id")]
    pub id: String,
    /// Who sent it.
    pub admin_user: String,
    /// What was sent.
    #[serde(flatten)]
    pub sent: SystemNotification,
}

/// How much a notification matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    #[default]
    Info,
    /// Something worked.
    Success,
    /// Something to keep an eye on.
    Warning,
    /// Something failed.
    Error,
}

impl Severity {
    /// Every one, the least first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Success, Self::Warning, Self::Error];

    /// As it is written in JSON and in forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What an administrator wants to say, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationDraft {
    message: String,
    level: Severity,
    critical: bool,
}

impl NotificationDraft {
    /// Characters of a message at most.
    pub const MAX_CHARS: usize = 500;

    /// Trims and checks. An empty level is [`Severity::Info`].
    ///
    /// # Errors
    ///
    /// When the message is empty, too long or not a line, or there is no such level.
    pub fn parse(message: &str, level: &str, critical: bool) -> Result<Self, DraftError> {
        let message = message.trim();
        let is_line = message.chars().count() <= Self::MAX_CHARS && !message.chars().any(char::is_control);
        if message.is_empty() || !is_line {
            return Err(DraftError::Message);
        }
        let level = match level {
            "" => Severity::default(),
            name => Severity::ALL.into_iter().find(|level| level.as_str() == name).ok_or(DraftError::Level)?,
        };
        Ok(Self { message: message.to_owned(), level, critical })
    }

    /// The notification it becomes when it is sent at `timestamp`.
    pub fn sent_at(self, timestamp: String) -> SystemNotification {
        let Self { message, level, critical } = self;
        SystemNotification { message, level, critical, timestamp }
    }
}

/// Why a notification cannot be sent; the message is for whoever wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DraftError {
    /// Nothing, too much, or more than a line.
    #[error("A notification is one line of 1 to {} characters.", NotificationDraft::MAX_CHARS)]
    Message,
    /// Not a level.
    #[error("A level is one of info, success, warning, error.")]
    Level,
}

#[cfg(test)]
mod tests {
    use super::{DraftError, NotificationDraft, Severity};

    #[test]
    fn a_notification_is_one_line_with_a_known_level() {
        let too_long = "x".repeat(NotificationDraft::MAX_CHARS + 1);
        let parse = |message, level| NotificationDraft::parse(message, level, true);
        assert_eq!(parse("  ", "info"), Err(DraftError::Message));
        assert_eq!(parse("two\nlines", "info"), Err(DraftError::Message));
        assert_eq!(parse(&too_long, "info"), Err(DraftError::Message));
        assert_eq!(parse("down at noon", "loud"), Err(DraftError::Level));
        let sent = parse(" down at noon ", "").map(|draft| draft.sent_at("now".into()));
        assert_eq!(sent.map(|sent| (sent.message, sent.level)), Ok(("down at noon".into(), Severity::Info)));
    }
}
