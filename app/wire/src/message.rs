//! One message as instances pass it on: the JSON on a Redis channel.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::{Channel, Payload, Position, UnfitPayload, check_payload, limits::UUID_BYTES};

/// One message of one channel, on its way between instances.
///
/// Compatible in both directions with jPulse on Node.js, which knows `channel`, `data`, `instanceId`
/// and `timestamp` and reads the publisher's `uuid` inside `data`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Where it was published.
    pub channel: Channel,
    /// The payload, with the publisher's `uuid` when known.
    pub data: Payload,
    /// The instance that took it.
    pub instance_id: Arc<str>,
    /// When it was taken, in milliseconds since 1970.
    #[serde(deserialize_with = "milliseconds")]
    pub timestamp: u64,
    /// Names the message once and for all; `None` from an instance that gives no ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Arc<str>>,
    /// Its place in the channel's log; `None` when it is in no log.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// The browser tab that published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Arc<str>>,
    /// Who published it, by name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// The process that took it: an instance's id may be another's as well, until both have claimed theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Arc<str>>,
}

impl Message {
    /// Reads a message as an instance sent it, ours or a Node.js one.
    ///
    /// A Node.js instance puts the publisher's context (`ctx`, with an address) into the payload:
    /// only the user's name is kept.
    ///
    /// # Errors
    ///
    /// When the text is no JSON of that shape, or its payload is unfit.
    pub fn parse(json: &[u8]) -> Result<Self, MessageError> {
        let mut message: Self = serde_json::from_slice(json)?;
        check_payload(&message.data)?;
        if let Some(Value::Object(context)) = message.data.remove("ctx")
            && message.username.is_empty()
            && let Some(Value::String(username)) = context.get("username")
        {
            message.username.clone_from(username);
        }
        if message.uuid.is_none() {
            message.uuid = publisher_uuid(&message.data);
        }
        Ok(message)
    }
}

/// The `uuid` a payload carries, when it is one a tab could have.
pub(crate) fn publisher_uuid(data: &Payload) -> Option<Arc<str>> {
    match data.get("uuid") {
        Some(Value::String(uuid)) if !uuid.is_empty() && uuid.len() <= UUID_BYTES => Some(uuid.as_str().into()),
        _ => None,
    }
}

/// Node.js writes whole numbers, but nothing keeps it from writing `1.7e12`.
fn milliseconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = f64::deserialize(deserializer)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and 2^53 ms are 285,000 years"
    )]
    Ok(number as u64)
}

/// Why a text on a Redis channel is no message.
#[derive(Debug, Error)]
pub enum MessageError {
    /// It is JSON of another shape, or none.
    #[error("not a message of an instance")]
    Shape(#[from] serde_json::Error),
    /// Its payload cannot be passed on.
    #[error(transparent)]
    Payload(#[from] UnfitPayload),
}
