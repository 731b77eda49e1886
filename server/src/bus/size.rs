//! How much memory messages take, for bounds that hold whatever is in them.

use serde_json::Value;
use wire::{Message, Payload};

/// What an allocation takes beside its content.
const ALLOCATION: usize = 16;
/// A node of the map behind an object: room for 11 keys and values, however few there are.
const NODE: usize = 11 * (size_of::<String>() + size_of::<Value>()) + 3 * ALLOCATION;
/// Keys a node holds at least when there are several.
const NODE_KEYS: usize = 5;

/// Bytes of a message as a tree in memory, a little more rather than less. An object of one short field takes a
/// hundred times its text.
pub(crate) fn tree_bytes(message: &Message) -> usize {
    size_of::<Message>() + message.channel.as_str().len() + message.username.len() + 4 * 64 + object(&message.data)
}

fn object(fields: &Payload) -> usize {
    if fields.is_empty() {
        return 0;
    }
    let nodes = 1 + fields.len() / NODE_KEYS;
    let content = fields.iter().map(|(key, field)| key.capacity() + ALLOCATION + value(field));
    nodes * NODE + content.sum::<usize>()
}

/// What a value takes beside its own place.
fn value(of: &Value) -> usize {
    match of {
        Value::String(text) => text.capacity() + ALLOCATION,
        Value::Array(items) => {
            items.capacity() * size_of::<Value>() + ALLOCATION + items.iter().map(value).sum::<usize>()
        }
        Value::Object(fields) => object(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> usize {
        object(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn many_small_objects_count_for_what_they_are() {
        let list = format!(r#"{{"list":[{}]}}"#, [r#"{"":1}"#; 1_000].join(","));
        assert!(of(&list) > 80 * list.len(), "{} for {}", of(&list), list.len());
        let text = format!(r#"{{"text":"{}"}}"#, "x".repeat(10_000));
        assert!((10_000..11_000).contains(&of(&text)), "{}", of(&text));
        assert_eq!(of("{}"), 0);
    }
}
