//! What users say of themselves: there, away, busy. Changed over REST, broadcast to every open page.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{account::PersonName, channel, cluster::TypedChannel};

/// Where a changed status is announced.
pub const STATUS_CHANGED: TypedChannel<UserStatusChange> = channel!("view:chat:user:status");

/// Users whose statuses are asked for at once, at most.
pub const ASKED_TOGETHER: usize = 20;

/// How a user is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserStatus {
    /// There; of somebody who never said anything else.
    #[default]
    Online,
    /// Not at the screen.
    Away,
    /// There, and not to be disturbed.
    Busy,
}

impl UserStatus {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Online, Self::Away, Self::Busy];

    /// As it stands in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
            Self::Busy => "busy",
        }
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Online => "Online",
            Self::Away => "Away",
            Self::Busy => "Busy",
        }
    }

    /// Reads what [`UserStatus::as_str`] gives.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn parse(text: &str) -> Result<Self, NoStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(NoStatus)
    }
}

/// The text is no status; the message is for the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("`status` is one of online, away, busy.")]
pub struct NoStatus;

/// A user has another status: the payload on [`STATUS_CHANGED`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserStatusChange {
    /// Whose.
    pub user_id: String,
    /// What it is now.
    pub status: UserStatus,
    /// The name others see.
    pub username: String,
    /// `firstName` and `lastName`, where the account has them.
    #[serde(flatten)]
    pub name: PersonName,
    /// RFC 3339.
    pub timestamp: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_read_as_it_is_written() {
        for status in UserStatus::ALL {
            assert_eq!(UserStatus::parse(status.as_str()), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert_eq!(UserStatus::parse("Away"), Err(NoStatus));
    }
}
