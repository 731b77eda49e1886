//! Writes what a browser sends, and what it passes on to scripts: as serde does it, in a tenth of the code.

use serde_json::{Map, Value};

use super::{ClientFrame, Receipt};
use crate::{Position, Positions};

/// A value as JSON. Not by its `Display`, which brings the same code twice more, for formatters.
pub fn to_text(value: &Value) -> String {
    // Strings, numbers and maps with text keys: nothing here can fail to serialise.
    serde_json::to_string(value).unwrap_or_default()
}

/// An object of these fields: what `json!` makes, without its code for values that are no JSON.
pub fn object(fields: Vec<(&str, Value)>) -> Value {
    let mut map = Map::new();
    for (name, value) in fields {
        map.insert(name.to_owned(), value);
    }
    Value::Object(map)
}

impl ClientFrame {
    /// The frame as it goes out, with what is wanted on the answer.
    pub fn into_json(self, request_id: Option<String>) -> String {
        let mut fields = Map::new();
        let mut set = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
        match self {
            Self::Subscribe { channel, omit_self, since, positions } => {
                set("type", "subscribe".into());
                set("channel", channel.into());
                if omit_self {
                    set("omitSelf", true.into());
                }
                if let Some(since) = since {
                    set("since", position(&since));
                }
                if let Some(positions) = positions {
                    set("positions", all(&positions));
                }
            }
            Self::Unsubscribe { channel } => {
                set("type", "unsubscribe".into());
                set("channel", channel.into());
            }
            Self::Publish { channel, data } => {
                set("type", "publish".into());
                set("channel", channel.into());
                set("data", data);
            }
            Self::Ping => set("type", "ping".into()),
        }
        if let Some(request_id) = request_id {
            set("requestId", request_id.into());
        }
        to_text(&Value::Object(fields))
    }
}

impl Receipt {
    /// The receipt as JSON.
    pub fn to_value(&self) -> Value {
        let mut fields = Map::new();
        let mut set = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
        set("channel", self.channel.as_str().into());
        set("instanceId", (*self.instance_id).into());
        set("timestamp", self.timestamp.as_str().into());
        set("id", (*self.id).into());
        if let Some(Position { epoch, offset }) = &self.position {
            set("epoch", (**epoch).into());
            set("offset", (*offset).into());
        }
        if self.fallback {
            set("fallback", true.into());
        }
        Value::Object(fields)
    }
}

fn all(positions: &Positions) -> Value {
    let mut fields = Map::new();
    for (channel, place) in positions {
        fields.insert(channel.as_str().to_owned(), position(place));
    }
    Value::Object(fields)
}

fn position(Position { epoch, offset }: &Position) -> Value {
    object(vec![("epoch", (**epoch).into()), ("offset", (*offset).into())])
}
