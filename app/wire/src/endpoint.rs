//! What browsers and WebSocket endpoints other than the relay say to each other.
//!
//! The frames are those of the relay in shape. What is not among the types here belongs to the
//! endpoint: its handler reads it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{
    Code, check_payload,
    limits::{ENDPOINT_NAME_BYTES, ID_BYTES},
};

/// What a browser asks of every endpoint.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Tell everybody on the endpoint.
    Broadcast {
        /// What.
        data: Value,
        /// But not my own tab.
        omit_self: bool,
    },
    /// Tell every socket of one user.
    User {
        /// The user's id, or the id others see.
        user_id: String,
        /// What.
        data: Value,
    },
    /// Tell everybody in a room.
    Room {
        /// Which.
        room_id: String,
        /// What.
        data: Value,
        /// But not my own tab.
        omit_self: bool,
    },
    /// Let me into a room.
    Join {
        /// Which.
        room_id: String,
    },
    /// Let me out.
    Leave {
        /// Of which.
        room_id: String,
    },
    /// Tell me who is here, now and from now on; or no more.
    Presence {
        /// Whether to be told.
        watch: bool,
    },
    /// Are you there?
    Ping,
    /// The answer to a request of the server.
    Response(Result<Value, RequestError>),
    /// Something of the endpoint's own.
    Own(OwnMessage),
}

/// A message of a type that is the endpoint's own.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnMessage {
    /// Its `type`.
    pub kind: String,
    /// All of it, but for the `requestId`.
    pub fields: Map<String, Value>,
}

/// Why a message is not taken, or a request failed.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{error}")]
pub struct RequestError {
    /// For programs.
    pub code: Code,
    /// For people.
    pub error: String,
}

impl RequestError {
    /// With this code for programs and this text for people.
    pub fn new(code: Code, error: impl Into<String>) -> Self {
        Self { code, error: error.into() }
    }

    fn shape(error: impl Into<String>) -> Self {
        Self::new(Code::InvalidMessage, error)
    }
}

impl Ask {
    /// Reads one text frame.
    ///
    /// # Errors
    ///
    /// When the text is no JSON object of a known shape.
    pub fn parse(json: &str) -> Result<Self, RequestError> {
        fields(json).and_then(ask)
    }

    /// Reads a text frame that answers a request of the server by its `requestId` alone, as a client of jPulse on
    /// Node.js does: what it says are all its fields, unless it has `success: false`.
    ///
    /// # Errors
    ///
    /// When the text is no JSON object.
    pub fn parse_reply(json: &str) -> Result<Self, RequestError> {
        let fields = fields(json)?;
        Ok(Self::Response(match fields.get("success") {
            Some(Value::Bool(false)) => Err(refusal(&fields).unwrap_or_else(|| RequestError::new(Code::Unknown, ""))),
            _ => Ok(Value::Object(fields)),
        }))
    }

    /// The `type` it came with.
    pub fn kind(&self) -> &str {
        match self {
            Self::Broadcast { .. } => "broadcast",
            Self::User { .. } => "user",
            Self::Room { .. } => "room",
            Self::Join { .. } => "join",
            Self::Leave { .. } => "leave",
            Self::Presence { .. } => "presence",
            Self::Ping => "ping",
            Self::Response(_) => "response",
            Self::Own(OwnMessage { kind, .. }) => kind,
        }
    }
}

fn ask(mut fields: Map<String, Value>) -> Result<Ask, RequestError> {
    let Some(Value::String(kind)) = fields.get("type") else {
        return Err(RequestError::shape("a message has a `type`, a text"));
    };
    Ok(match kind.as_str() {
        "broadcast" => Ask::Broadcast { omit_self: flag(&fields, "omitSelf", false)?, data: data(&mut fields)? },
        "user" => Ask::User { user_id: id(&fields, "userId")?, data: data(&mut fields)? },
        "room" => Ask::Room {
            room_id: id(&fields, "roomId")?,
            omit_self: flag(&fields, "omitSelf", false)?,
            data: data(&mut fields)?,
        },
        "message" => message(fields)?,
        "join" => Ask::Join { room_id: id(&fields, "roomId")? },
        "leave" => Ask::Leave { room_id: id(&fields, "roomId")? },
        "presence" => Ask::Presence { watch: flag(&fields, "watch", true)? },
        "ping" => Ask::Ping,
        "response" => Ask::Response(match refusal(&fields) {
            Some(refusal) => Err(refusal),
            None => Ok(fields.remove("data").unwrap_or_default()),
        }),
        _ => Ask::Own(OwnMessage { kind: kind.clone(), fields }),
    })
}

/// The fields of a message but for its `requestId`.
fn fields(json: &str) -> Result<Map<String, Value>, RequestError> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(json) else {
        return Err(RequestError::shape("a message is a JSON object"));
    };
    fields.remove("requestId");
    check_payload(&fields).map_err(|error| RequestError::shape(error.to_string()))?;
    Ok(fields)
}

/// Why a request of the server was not answered: `{error, code?}`.
fn refusal(fields: &Map<String, Value>) -> Option<RequestError> {
    let error = fields.get("error")?.as_str()?;
    let code = fields.get("code").and_then(|code| Code::deserialize(code).ok());
    Some(RequestError::new(code.unwrap_or(Code::Unknown), error))
}

/// The short way to say something, `{type: "message", roomId?, …}`: to the room, or else to everybody.
/// What is said is `data`, or else all other fields.
fn message(mut fields: Map<String, Value>) -> Result<Ask, RequestError> {
    let omit_self = flag(&fields, "omitSelf", false)?;
    let room = fields.contains_key("roomId").then(|| id(&fields, "roomId")).transpose()?;
    for name in ["type", "roomId", "omitSelf"] {
        fields.remove(name);
    }
    let data = fields.remove("data").unwrap_or(Value::Object(fields));
    Ok(match room {
        Some(room_id) => Ask::Room { room_id, data, omit_self },
        None => Ask::Broadcast { data, omit_self },
    })
}

fn data(fields: &mut Map<String, Value>) -> Result<Value, RequestError> {
    fields.remove("data").ok_or_else(|| RequestError::shape("`data` is missing"))
}

fn flag(fields: &Map<String, Value>, name: &str, default: bool) -> Result<bool, RequestError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(default),
        Some(Value::Bool(is_set)) => Ok(*is_set),
        Some(_) => Err(RequestError::shape(format!("`{name}` is true or false"))),
    }
}

fn id(fields: &Map<String, Value>, name: &str) -> Result<String, RequestError> {
    match fields.get(name) {
        Some(Value::String(id)) if is_id(id) => Ok(id.clone()),
        Some(Value::String(_)) => {
            let error = format!("`{name}` has 1 to {ID_BYTES} of the characters A–Z a–z 0–9 _ . : -");
            Err(RequestError::new(Code::InvalidId, error))
        }
        _ => Err(RequestError::shape(format!("`{name}` is missing or no text"))),
    }
}

/// Whether a text may name a room or a user: 1 to 80 of `A–Z a–z 0–9 _ . : -`.
pub fn is_id(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    (1..=ID_BYTES).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// Whether a text may name an endpoint: 1 to 64 of `A–Z a–z 0–9 _ . -`, a letter or digit first.
pub fn is_endpoint_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=ENDPOINT_NAME_BYTES).contains(&text.len())
        && text.bytes().all(is_allowed)
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// Someone on an endpoint, as others see them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// Stands for the user on this endpoint, and for nothing else; empty for the server.
    #[serde(default)]
    pub id: Arc<str>,
    /// Empty for a guest.
    #[serde(default)]
    pub username: Arc<str>,
}

/// Whom a message was for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Aim {
    /// Everybody on the endpoint.
    Broadcast,
    /// One user: who gets it.
    User,
    /// A room.
    Room {
        /// Which.
        room_id: Arc<str>,
    },
}

/// A message of somebody on the endpoint: `data` of a frame of type `message`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivered {
    /// Who sent it.
    pub from: Present,
    /// Whom it was for.
    pub target: Aim,
    /// What was sent.
    pub data: Value,
    /// RFC 3339.
    pub timestamp: String,
}

/// Who is on an endpoint: `data` of a frame of type `presence`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceFrame {
    /// Everybody, or the first [`PRESENT_LISTED`](crate::limits::PRESENT_LISTED).
    pub users: Vec<Present>,
    /// How many there are.
    pub total: usize,
    /// The id of whoever is told.
    #[serde(default)]
    pub you: Arc<str>,
}

/// Who came and who went since the last frame: `data` of a frame of type `presence-diff`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceDiff {
    /// Who came.
    pub joined: Vec<Present>,
    /// The ids of who went.
    pub left: Vec<Arc<str>>,
    /// How many there are.
    pub total: usize,
}

/// A room and how many sockets are in it: `data` of `joined`, `left` and `room-count`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomFrame {
    /// Which.
    pub room_id: Arc<str>,
    /// Sockets on all instances.
    pub members: usize,
}

/// A frame of an endpoint: `{success: true, data: {type, data?}}`.
pub fn frame(kind: &str, data: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Envelope<'a, T> {
        success: bool,
        data: Inner<'a, T>,
    }
    #[derive(Serialize)]
    struct Inner<'a, T> {
        #[serde(rename = "type")]
        kind: &'a str,
        data: T,
    }
    let envelope = Envelope { success: true, data: Inner { kind, data } };
    // Strings, numbers and maps with text keys: nothing here can fail to serialise.
    serde_json::to_string(&envelope).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(message: &Value) -> Option<Code> {
        Ask::parse(&message.to_string()).err().map(|error| error.code)
    }

    #[test]
    fn what_every_endpoint_knows_is_read_and_the_rest_is_its_own() {
        let read = |message: Value| Ask::parse(&message.to_string());
        assert_eq!(
            read(json!({ "type": "room", "roomId": "a:b", "data": null, "requestId": 7 })),
            Ok(Ask::Room { room_id: "a:b".into(), data: Value::Null, omit_self: false })
        );
        assert_eq!(
            read(json!({ "type": "message", "text": "hi", "roomId": "r" })),
            Ok(Ask::Room { room_id: "r".into(), data: json!({ "text": "hi" }), omit_self: false })
        );
        let own = read(json!({ "type": "move", "x": 1, "requestId": "r" }));
        let Ok(Ask::Own(OwnMessage { kind, fields })) = own else { panic!("{own:?}") };
        assert_eq!((kind.as_str(), fields.get("x"), fields.get("requestId")), ("move", Some(&json!(1)), None));
        assert_eq!(read(json!({ "type": "presence" })), Ok(Ask::Presence { watch: true }));
    }

    #[test]
    fn a_reply_needs_no_type() {
        let reply = |message: Value| Ask::parse_reply(&message.to_string());
        assert_eq!(
            reply(json!({ "browser": "x", "requestId": "server-1" })),
            Ok(Ask::Response(Ok(json!({ "browser": "x" }))))
        );
        let Ok(Ask::Response(Err(refusal))) = reply(json!({ "success": false, "error": "no", "code": "ERROR" })) else {
            panic!("a refusal");
        };
        assert_eq!((refusal.code, refusal.error.as_str()), (Code::Unknown, "no"));
        assert!(matches!(reply(json!({ "success": false })), Ok(Ask::Response(Err(_)))));
        assert!(reply(json!([1])).is_err());
    }

    #[test]
    fn a_wrong_shape_has_its_code() {
        for wrong in [json!([]), json!({}), json!({ "type": 1 }), json!({ "type": "broadcast" }), json!("x")] {
            assert_eq!(code(&wrong), Some(Code::InvalidMessage), "{wrong}");
        }
        for room in ["", "a b", "ä", &"x".repeat(81)] {
            assert_eq!(code(&json!({ "type": "join", "roomId": room })), Some(Code::InvalidId), "{room}");
        }
    }

    #[test]
    fn names_of_endpoints_fit_into_an_address_and_a_key() {
        assert!(["hello-todo", "a", "A.b_9"].into_iter().all(is_endpoint_name));
        assert!(!["", "-a", "a:b", "a/b", "ü", &"x".repeat(65)].into_iter().any(is_endpoint_name));
    }
}
