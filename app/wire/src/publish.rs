//! What can become of a message that a browser publishes.

use thiserror::Error;

use crate::Code;

/// Why a message was not published, as far as this browser can know.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PublishError {
    /// There is no link to the relay: on the server, or before the page came to life.
    #[error("there is no link to the relay here")]
    NoLink,
    /// The payload is no JSON object.
    #[error("what is published must be a JSON object")]
    NoObject,
    /// The server said no.
    #[error("{message}")]
    Refused {
        /// For programs.
        code: Code,
        /// For people.
        message: String,
    },
    /// More messages wait to go out than this tab keeps.
    #[error("too many messages wait to be published")]
    QueueFull,
    /// The connection broke before the answer came: the message may have been taken.
    #[error("the connection was lost before the server answered")]
    ConnectionLost,
    /// No answer came in time: the message may have been taken.
    #[error("the server did not answer in time")]
    TimedOut,
    /// No server could be reached.
    #[error("the server cannot be reached")]
    Unreachable,
}

impl PublishError {
    /// Whether the message may have been taken all the same: said again, it could arrive twice.
    pub const fn may_have_been_taken(&self) -> bool {
        matches!(self, Self::ConnectionLost | Self::TimedOut)
    }

    /// The same for programs, as it stands on the wire where the server said it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoLink => "NO_LINK",
            Self::NoObject => Code::InvalidData.as_str(),
            Self::Refused { code, .. } => code.as_str(),
            Self::QueueFull => "QUEUE_FULL",
            Self::ConnectionLost => "CONNECTION_LOST",
            Self::TimedOut => "TIMED_OUT",
            Self::Unreachable => "UNREACHABLE",
        }
    }
}
