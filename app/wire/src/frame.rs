//! The frames of a WebSocket: JSON text, one object each.

mod read;
mod write;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::{Channel, Code, Payload, Position, Positions};
pub use write::{object, to_text};

/// What a browser says on the relay.
///
/// Channels stay text here: whether a name is well-formed and allowed is for the relay to say, each
/// with its own code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ClientFrame {
    /// Send me what is published here.
    Subscribe {
        /// A channel or pattern.
        channel: String,
        /// Not what I published myself.
        #[serde(default, skip_serializing_if = "is_false")]
        omit_self: bool,
        /// First what I missed behind this position.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Position>,
        /// The same for a wildcard: behind these positions, and all of channels not among them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        positions: Option<Positions>,
    },
    /// No more of this.
    Unsubscribe {
        /// As it was subscribed.
        channel: String,
    },
    /// Tell all subscribers.
    Publish {
        /// Where.
        channel: String,
        /// What: an object.
        data: Value,
    },
    /// Are you there?
    Ping,
}

impl ClientFrame {
    /// Reads one text frame.
    ///
    /// # Errors
    ///
    /// When the text is no JSON of a known type and shape.
    pub fn parse(json: &str) -> Result<Self, FrameError> {
        serde_json::from_str(json).map_err(|error| FrameError(Some(error)))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Why a frame cannot be read.
#[derive(Debug, Error)]
#[error("the message is not JSON of a known type and shape")]
pub struct FrameError(#[source] Option<serde_json::Error>);

/// Every frame of the server: an answer or news, or what went wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Frame {
    /// `{success: true, data, requestId?}`
    Success {
        /// Always `true`.
        success: True,
        /// What it is about.
        data: ServerFrame,
        /// Of the request it answers.
        #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
        request_id: Option<Value>,
    },
    /// `{success: false, error, code, details?, requestId?}`
    Failure(Failure),
}

/// The answer to a request that failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// Always `false`.
    pub success: False,
    /// For people.
    pub error: String,
    /// For programs.
    pub code: Code,
    /// Numbers that help, such as `retryAfterMs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// Of the request it answers.
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Value>,
}

impl Frame {
    /// News that nobody asked for.
    pub fn news(data: ServerFrame) -> Self {
        Self::answer(data, None)
    }

    /// The answer to the request with this id.
    pub fn answer(data: ServerFrame, request_id: Option<Value>) -> Self {
        Self::Success { success: True, data, request_id }
    }

    /// What went wrong with the request with this id.
    pub fn failure(code: Code, error: impl Into<String>, details: Option<Value>, request_id: Option<Value>) -> Self {
        Self::Failure(Failure { success: False, error: error.into(), code, details, request_id })
    }

    /// Reads what a server sent. An unknown type is an error the reader may pass over: newer servers
    /// say more.
    ///
    /// # Errors
    ///
    /// When the text is no frame of this version.
    pub fn parse(json: &str) -> Result<Self, FrameError> {
        let value = serde_json::from_str(json).map_err(|error| FrameError(Some(error)))?;
        read::frame(value).ok_or(FrameError(None))
    }

    /// The frame as it goes out.
    pub fn to_json(&self) -> String {
        // Strings, numbers and maps with text keys: nothing here can fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What the relay says when all is well.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ServerFrame {
    /// The first frame of every socket.
    Connected {
        /// The tab's uuid, given or new.
        client_id: Arc<str>,
        /// The endpoint's path.
        namespace: String,
        /// What this socket may send.
        limits: LimitsFrame,
        /// Who the server takes this for.
        ctx: Context,
    },
    /// The relay is ready for subscriptions.
    Welcome {
        /// Text and time.
        data: WelcomeFrame,
    },
    /// A subscription stands.
    Subscribed {
        /// Where it begins.
        data: SubscribedFrame,
    },
    /// A subscription is gone.
    Unsubscribed {
        /// Which.
        data: UnsubscribedFrame,
    },
    /// A message of a subscribed channel.
    Broadcast {
        /// The message.
        data: BroadcastFrame,
        /// Who published it.
        ctx: Context,
    },
    /// A message was taken.
    Published {
        /// What became of it.
        data: Receipt,
    },
    /// Here I am.
    Pong {
        /// The server's time.
        data: PongFrame,
    },
    /// The link to the other instances came or went.
    Cluster {
        /// The state now.
        data: ClusterFrame,
    },
    /// Messages of a channel were lost and cannot be had any more.
    Gap {
        /// Which channel.
        data: GapFrame,
    },
    /// This instance stops: connect again, to any other.
    Drain {
        /// When.
        data: DrainFrame,
    },
}

/// Who a frame concerns, by name; no address, no e-mail, no roles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Context {
    /// Empty for a guest.
    pub username: String,
}

/// What a socket may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitsFrame {
    /// Bytes a message.
    pub max_size: usize,
    /// Milliseconds over which messages are counted.
    pub interval: u64,
    /// Messages an interval.
    pub max_messages: u32,
}

/// Text and time of a welcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WelcomeFrame {
    /// For people.
    pub message: String,
    /// RFC 3339.
    pub timestamp: String,
    /// Whether a broadcast reaches other instances now; absent from a server that does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_mode: Option<bool>,
}

/// Where a subscription begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubscribedFrame {
    /// As it was asked for.
    pub channel: String,
    /// RFC 3339.
    pub timestamp: String,
    /// The channel's position now; absent for a wildcard and while no log can be reached.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// Where the channels below a wildcard stand now, those lately used; absent for a single channel,
    /// while no log can be reached, and when there are more than [`WILDCARD_CHANNELS`] of them.
    ///
    /// [`WILDCARD_CHANNELS`]: crate::limits::WILDCARD_CHANNELS
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positions: Option<Positions>,
    /// Whether everything behind `since` or `positions` follows.
    pub recovered: bool,
}

/// Which subscription ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnsubscribedFrame {
    /// As it was asked for.
    pub channel: String,
    /// RFC 3339.
    pub timestamp: String,
}

/// A message as browsers get it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BroadcastFrame {
    /// Where it was published.
    pub channel: Channel,
    /// The payload, with the publisher's `uuid` when known.
    pub data: Payload,
    /// RFC 3339.
    pub timestamp: String,
    /// Names the message once and for all.
    pub id: Arc<str>,
    /// Its place in the channel's log; absent when it is in no log.
    #[serde(flatten)]
    pub position: Option<Position>,
}

/// What became of a published message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Where it was published.
    pub channel: Channel,
    /// The instance that took it.
    pub instance_id: Arc<str>,
    /// RFC 3339.
    pub timestamp: String,
    /// Names the message once and for all.
    pub id: Arc<str>,
    /// Its place in the channel's log; absent with `fallback`.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// Delivered on this instance only; the others get it when the link is back.
    #[serde(skip_serializing_if = "is_false")]
    pub fallback: bool,
}

/// The server's time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PongFrame {
    /// RFC 3339.
    pub timestamp: String,
}

/// Whether instances hear each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterFrame {
    /// Whether a broadcast reaches other instances now.
    pub cluster_mode: bool,
}

/// Which channel lost messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GapFrame {
    /// The channel; the page's own document is the truth now.
    pub channel: Channel,
}

/// When to come back after a drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DrainFrame {
    /// Not before, in milliseconds.
    pub retry_after_ms: u64,
    /// At a random point of so many milliseconds after that.
    pub spread_ms: u64,
}

macro_rules! constant {
    ($(#[$doc:meta])* $name:ident = $value:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bool($value)
            }
        }
    };
}

constant! {
    /// The JSON value `true`.
    True = true
}
constant! {
    /// The JSON value `false`.
    False = false
}
