//! What somebody on an endpoint said, read into a type.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::endpoint::{Aim, Delivered, Present};

/// A message of somebody on the endpoint.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said<T> {
    /// Who said it, as the server knows.
    pub(super) from: Present,
    /// In which room, if in one.
    pub(super) room: Option<Arc<str>>,
    /// What was said.
    pub(super) data: T,
    /// When; RFC 3339.
    pub(super) at: String,
}

impl<T: DeserializeOwned> Said<T> {
    /// Reads `data` of a frame; `None` when it is no message, or one of another kind.
    pub(super) fn read(frame: &Value) -> Option<Self> {
        if frame["type"] != "message" {
            return None;
        }
        let Delivered { from, target, data, timestamp: at } = serde_json::from_value(frame["data"].clone()).ok()?;
        let room = match target {
            Aim::Room { room_id } => Some(room_id),
            Aim::Broadcast | Aim::User => None,
        };
        Some(Self { from, room, data: serde_json::from_value(data).ok()?, at })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Said;

    #[test]
    fn what_is_no_message_or_of_another_kind_is_passed_over() {
        let message = |data| {
            let target = json!({ "type": "room", "roomId": "a" });
            json!({ "type": "message", "data": { "from": { "id": "x" }, "target": target, "data": data, "timestamp": "t" } })
        };
        let read = Said::<u8>::read(&message(json!(7))).map(|said| (said.data, said.room, said.at));
        assert_eq!(read, Some((7, Some("a".into()), "t".to_owned())));
        assert_eq!(Said::<u8>::read(&message(json!("seven"))), None);
        assert_eq!(Said::<u8>::read(&json!({ "type": "presence", "data": 7 })), None);
    }
}
