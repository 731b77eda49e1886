//! Broadcasts of endpoints as instances of jPulse 1.7 on Node.js exchange them.
//!
//! They know no other message between instances: one to a user or a room stays on the instance it was sent on. What
//! they publish is handed to browsers as it is, and so is ours on their side.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::{Context, Payload, check_payload, limits::FRAME_BYTES};

use super::{Endpoints, Loss, Post, Target};
use crate::{
    hub::{FOR_TOPICS, Told, TopicInbox},
    socket::text_frame,
};

/// What their topics begin with; the endpoint's name follows.
pub const FAMILY: &str = "bc:controller:websocket:broadcast:api:1:ws:";
/// What their keys and channels of broadcasts begin with.
const BROADCASTS: &str = "bc:";

/// The topic of an endpoint.
pub(super) fn topic(endpoint: &str) -> String {
    format!("{FAMILY}{endpoint}")
}

impl Endpoints {
    /// Starts to hand what instances on Node.js publish to the browsers here.
    pub(super) fn hear_node_js(&self, mut inbox: TopicInbox) {
        let endpoints = self.clone();
        let hearing = async move {
            while let Some(Told { topic, text }) = inbox.next().await {
                endpoints.take_from_node_js(&topic, &text);
            }
        };
        self.shared.tasks.spawn(self.shared.stop.clone().run_until_cancelled_owned(hearing));
    }

    fn take_from_node_js(&self, topic: &str, text: &[u8]) {
        let Some(endpoint) = topic.strip_prefix(FAMILY).and_then(|name| self.get(name)) else { return };
        match read(text) {
            Heard::Frame(frame) => {
                let here = endpoint.here();
                here.members.reached(&Target::Broadcast, None).for_each(|place| place.queue.push(frame.clone()));
            }
            Heard::TooLarge => {
                tracing::warn!(%topic, "a broadcast of another instance is too large for an endpoint");
                endpoint.here().tally.dropped(Loss::TooLarge);
            }
            Heard::Unreadable => tracing::debug!(%topic, "passed over something on a topic of an endpoint"),
            Heard::Ours => {}
        }
    }

    /// Publishes a broadcast for instances on Node.js; whether it is on its way. Other messages stay among ours.
    pub(super) fn publish_to_node_js(&self, endpoint: &str, post: &Post) -> bool {
        if post.target != Target::Broadcast {
            return true;
        }
        let text = to_text(post, endpoint, self.instance_id(), &self.shared.boot);
        self.shared.node_js.tell(&topic(endpoint), text)
    }
}

/// A broadcast of ours. `source` stands first, so that it begins with [`FOR_TOPICS`].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outgoing<'a, T> {
    source: &'a str,
    channel: &'a str,
    data: T,
    instance_id: &'a str,
    timestamp: u64,
}

/// What browsers get of it.
#[derive(Serialize)]
struct Shown<T> {
    #[serde(rename = "type")]
    kind: &'static str,
    data: T,
    ctx: Context,
}

/// A broadcast of theirs.
#[derive(Deserialize)]
struct Incoming {
    data: Payload,
}

/// A broadcast as their instances read it.
fn to_text(post: &Post, endpoint: &str, instance: &str, boot: &str) -> Bytes {
    let topic = topic(endpoint);
    let shown =
        Shown { kind: "message", data: post.delivered(), ctx: Context { username: post.from.username.to_string() } };
    let outgoing = Outgoing {
        source: boot,
        channel: topic.strip_prefix(BROADCASTS).unwrap_or(&topic),
        data: shown,
        instance_id: instance,
        timestamp: post.timestamp,
    };
    // Strings, numbers and maps with text keys: nothing here can fail to serialise.
    serde_json::to_vec(&outgoing).unwrap_or_default().into()
}

/// What became of a text on one of their topics.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    /// For every browser on the endpoint.
    Frame(Bytes),
    /// One of ours.
    Ours,
    /// Larger than any frame of an endpoint.
    TooLarge,
    /// No broadcast, or one that not every reader would get as it is.
    Unreadable,
}

/// Reads a broadcast. Of who sent it only the name is passed on: the rest is an address and roles.
fn read(text: &[u8]) -> Heard {
    // Other instances of ours have it from a topic of their own.
    if text.starts_with(FOR_TOPICS) {
        return Heard::Ours;
    }
    if text.is_empty() || text.len() > FRAME_BYTES {
        return Heard::TooLarge;
    }
    let Ok(Incoming { mut data }) = serde_json::from_slice(text) else { return Heard::Unreadable };
    if let Some(context) = data.get_mut("ctx") {
        let username = context.get("username").and_then(Value::as_str).unwrap_or_default();
        *context = json!({ "username": username });
    }
    if check_payload(&data).is_err() {
        return Heard::Unreadable;
    }
    Heard::Frame(text_frame(&json!({ "success": true, "data": data }).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::texts;

    fn frame(text: &[u8]) -> Value {
        let Heard::Frame(frame) = read(text) else { panic!("no frame: {:?}", read(text)) };
        serde_json::from_slice(&texts(&frame).next().unwrap()).unwrap()
    }

    #[test]
    fn theirs_is_handed_on_as_it_is_but_for_whose_it_is() {
        let theirs = json!({
            "channel": "controller:websocket:broadcast:api:1:ws:hello-emoji",
            "data": {
                "type": "user-emoji",
                "data": { "emoji": "x" },
                "ctx": { "username": "jane", "ip": "10.0.0.7", "roles": ["admin"], "firstName": "J" },
            },
            "instanceId": "web:0",
            "timestamp": 1,
        });
        let data = json!({ "type": "user-emoji", "data": { "emoji": "x" }, "ctx": { "username": "jane" } });
        assert_eq!(frame(theirs.to_string().as_bytes()), json!({ "success": true, "data": data }));
        let unnamed = frame(br#"{"data":{"type":"x","ctx":7}}"#);
        assert_eq!(unnamed["data"], json!({ "type": "x", "ctx": { "username": "" } }));
    }

    #[test]
    fn what_is_none_of_theirs_is_passed_over() {
        for text in ["[]", "{", r#"{"data":1}"#, "null"] {
            assert_eq!(read(text.as_bytes()), Heard::Unreadable, "{text}");
        }
        assert_eq!(read(format!(r#"{{"data":{{"x":"{}"}}}}"#, "x".repeat(FRAME_BYTES)).as_bytes()), Heard::TooLarge);
    }

    #[test]
    fn ours_is_what_they_read_and_known_as_ours() {
        let post = Post { timestamp: 7, ..Post::new(Target::Broadcast, json!({ "emoji": "x" })) };
        let text = to_text(&post, "hello-emoji", "0:0", "p");
        assert_eq!(read(&text), Heard::Ours);
        let text: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(text["channel"], "controller:websocket:broadcast:api:1:ws:hello-emoji");
        assert_eq!((&text["instanceId"], &text["timestamp"]), (&json!("0:0"), &json!(7)));
        assert_eq!(
            (&text["data"]["type"], &text["data"]["data"]["data"]),
            (&json!("message"), &json!({ "emoji": "x" }))
        );
    }
}
