//! What a publisher says, and what cannot be passed on.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::limits::PAYLOAD_DEPTH;

/// What a publisher says: a JSON object.
pub type Payload = Map<String, Value>;

/// Keys that readers of JSON in Rust take for something of their own, so that an object with one of them is
/// not read as it was sent.
const RESERVED_KEYS: &str = "$serde_json::private::";

/// Why a payload is not passed on: it would reach some readers changed, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UnfitPayload {
    /// Readers follow so many levels and no more, and a frame adds some of its own.
    #[error("the data is nested more than {PAYLOAD_DEPTH} levels deep")]
    TooDeep,
    /// It has a key of those that are reserved.
    #[error("keys that begin with `{RESERVED_KEYS}` are reserved")]
    ReservedKey,
}

/// Whether every reader gets this payload as it is.
///
/// # Errors
///
/// When one would not.
pub fn check_payload(payload: &Payload) -> Result<(), UnfitPayload> {
    check_object(payload, PAYLOAD_DEPTH)
}

/// The same for data that may be any JSON, as endpoints send it.
///
/// # Errors
///
/// When a reader would not get it as it is.
pub fn check_data(data: &Value) -> Result<(), UnfitPayload> {
    check(data, PAYLOAD_DEPTH)
}

fn check_object(object: &Payload, levels: usize) -> Result<(), UnfitPayload> {
    let levels = levels.checked_sub(1).ok_or(UnfitPayload::TooDeep)?;
    for (key, value) in object {
        if key.starts_with(RESERVED_KEYS) {
            return Err(UnfitPayload::ReservedKey);
        }
        check(value, levels)?;
    }
    Ok(())
}

fn check(value: &Value, levels: usize) -> Result<(), UnfitPayload> {
    match value {
        Value::Object(object) => check_object(object, levels),
        Value::Array(items) => {
            let levels = levels.checked_sub(1).ok_or(UnfitPayload::TooDeep)?;
            items.iter().try_for_each(|item| check(item, levels))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(json: &str) -> Payload {
        serde_json::from_str(json).unwrap()
    }

    fn nested(levels: usize) -> Payload {
        let arrays = levels - 1;
        payload(&format!(r#"{{"a":{}{}}}"#, "[".repeat(arrays), "]".repeat(arrays)))
    }

    #[test]
    fn a_payload_has_so_many_levels_and_no_more() {
        assert_eq!(check_payload(&nested(PAYLOAD_DEPTH)), Ok(()));
        assert_eq!(check_payload(&nested(PAYLOAD_DEPTH + 1)), Err(UnfitPayload::TooDeep));
    }

    #[test]
    fn what_is_accepted_can_be_read_in_a_frame() {
        let frame = format!(r#"{{"success":true,"data":{{"data":{}}}}}"#, Value::from(nested(PAYLOAD_DEPTH)));
        assert!(serde_json::from_str::<Value>(&frame).is_ok());
    }

    #[test]
    fn reserved_keys_are_refused_wherever_they_stand() {
        let key = format!("{RESERVED_KEYS}Number");
        for json in [format!(r#"{{"{key}":"1"}}"#), format!(r#"{{"a":[0,{{"b":{{"{key}":true}}}}]}}"#)] {
            assert_eq!(check_payload(&payload(&json)), Err(UnfitPayload::ReservedKey), "{json}");
        }
        assert_eq!(check_payload(&payload(r#"{"a":"$serde_json::private::Number"}"#)), Ok(()));
    }
}
