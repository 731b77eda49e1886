//! What goes into a talk and what comes out.

use std::time::Duration;

use serde_json::{Map, Value};
use wire::endpoint::RequestError;

/// Names a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Somebody wants the connection.
    Started,
    /// The socket stands.
    Opened,
    /// The socket is gone, or never stood.
    Closed {
        /// As the socket says.
        code: u16,
    },
    /// The server answered over HTTP that this visitor may not connect: 401 or 403.
    Refused,
    /// A frame came.
    Text(String),
    /// The moment of [`Talk::wake_at`](super::Talk::wake_at) has come.
    Woke,
    /// The network is back, or the page is seen again: now is a good time.
    Encouraged,
    /// The network is gone, the browser says: perhaps nobody hears us.
    Discouraged,
    /// Somebody says something.
    Send(Map<String, Value>),
    /// Somebody asks something.
    Request {
        /// Names it in the outcome.
        id: RequestId,
        /// What.
        message: Map<String, Value>,
        /// How long it may take; `None` for the usual time.
        within: Option<Duration>,
    },
    /// Somebody answers a request of the server.
    Answer {
        /// As it came.
        request_id: Value,
        /// What.
        answer: Result<Value, RequestError>,
    },
    /// Nobody wants the connection any more.
    Ended,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Open a socket.
    Connect,
    /// Drop the socket, without waiting for it to close.
    Disconnect,
    /// Send a text frame.
    Send(String),
    /// Hand what came to whoever listens: `data` of the frame.
    Deliver(Value),
    /// The server asks: answer with [`Event::Answer`].
    Asked {
        /// For the answer.
        request_id: Value,
        /// What.
        data: Value,
    },
    /// A request is over.
    Settle(RequestId, Result<Value, RequestError>),
    /// The connection came or went.
    Status(Status),
    /// A socket broke off before it stood: ask over HTTP whether this visitor may connect at all, since a
    /// browser does not tell why. [`Event::Refused`] if not. At most once in 30 s while none stands.
    Inquire,
}

/// How the connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not there for the first time yet.
    Connecting,
    /// There.
    Connected,
    /// Lost, and on the way back.
    Reconnecting,
    /// Ended by whoever wanted it.
    Disconnected,
    /// Given up: sign in, as somebody who may be here.
    AuthRequired,
}

impl Status {
    /// As scripts know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
            Self::Disconnected => "disconnected",
            Self::AuthRequired => "auth-required",
        }
    }
}
