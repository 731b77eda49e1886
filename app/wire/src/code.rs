//! Error codes a program can act on.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What went wrong, for programs; the text beside it is for people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
            /// A code this version does not know.
            #[serde(other)]
            Unknown,
        }

        impl Code {
            /// The code as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Unknown => "UNKNOWN",
                }
            }

            /// Reads a code; one this version does not know is [`Code::Unknown`].
            pub fn read(text: &str) -> Self {
                match text {
                    $($text => Self::$name,)*
                    _ => Self::Unknown,
                }
            }
        }
    };
}

codes! {
    /// The channel's name is malformed.
    InvalidChannelName = "INVALID_CHANNEL_NAME",
    /// The channel is not for browsers.
    ForbiddenChannel = "FORBIDDEN_CHANNEL",
    /// The payload is missing or not an object.
    InvalidData = "INVALID_DATA",
    /// The body is not JSON.
    InvalidJson = "INVALID_JSON",
    /// The body is larger than the route takes.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE",
    /// Too many requests; `Retry-After` says when to come back.
    RateLimited = "RATE_LIMITED",
    /// There is no such route or document.
    NotFound = "NOT_FOUND",
    /// The route does not take this method.
    MethodNotAllowed = "METHOD_NOT_ALLOWED",
    /// The request came from a page of another site.
    ForbiddenOrigin = "FORBIDDEN_ORIGIN",
    /// A field does not hold what it should.
    ValidationError = "VALIDATION_ERROR",
    /// There is no such todo.
    TodoNotFound = "TODO_NOT_FOUND",
    /// The id is malformed.
    InvalidId = "INVALID_ID",
    /// The store cannot be reached.
    StoreUnavailable = "STORE_UNAVAILABLE",
    /// Our fault; the log knows more.
    InternalError = "INTERNAL_ERROR",
    /// A WebSocket message was not JSON of a known shape.
    InvalidMessage = "INVALID_MESSAGE",
    /// A WebSocket message was too large.
    MessageTooLarge = "MESSAGE_TOO_LARGE",
    /// Too many WebSocket messages in one interval.
    RateLimitExceeded = "RATE_LIMIT_EXCEEDED",
    /// The socket holds as many subscriptions as it may.
    TooManySubscriptions = "TOO_MANY_SUBSCRIPTIONS",
    /// There is no such WebSocket endpoint.
    UnknownEndpoint = "UNKNOWN_ENDPOINT",
    /// There is such a WebSocket endpoint already, and it is not one to be changed.
    EndpointExists = "ENDPOINT_EXISTS",
    /// The socket is in as many rooms as it may be.
    TooManyRooms = "TOO_MANY_ROOMS",
    /// Nobody answered the request, or not in time.
    NoReply = "NO_REPLY",
    /// The connection ended before the answer came.
    ConnectionLost = "CONNECTION_LOST",
    /// The instance takes no further connections now.
    TooManyConnections = "TOO_MANY_CONNECTIONS",
    /// The session is over.
    SessionExpired = "SESSION_EXPIRED",
    /// There is no such user, or the password is another.
    InvalidCredentials = "INVALID_CREDENTIALS",
    /// Sign in first.
    AuthenticationRequired = "AUTHENTICATION_REQUIRED",
    /// Somebody else changed it meanwhile.
    VersionConflict = "VERSION_CONFLICT",
    /// This user may not do that.
    Unauthorized = "UNAUTHORIZED",
}

impl std::fmt::Display for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
