//! One message to sockets of an endpoint, on its way between instances and to browsers.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::endpoint::{Delivered, Present, frame};

use super::members::Target;
use crate::{clock, socket::text_frame};

/// A message for everybody, one user or one room of an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    /// Whom it reaches.
    pub target: Target,
    /// Who sent it.
    pub from: Present,
    /// What was sent.
    pub data: Value,
    /// The tab that does not get it.
    pub omit: Option<Arc<str>>,
    /// When it was sent, in milliseconds since 1970.
    pub timestamp: u64,
}

/// A message as instances tell each other.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    endpoint: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room_id: Option<Arc<str>>,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    source_instance: Arc<str>,
    /// The process that tells it: it has delivered it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Arc<str>>,
    #[serde(default)]
    from: Present,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    omit: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp: Option<u64>,
}

impl Post {
    /// From the server itself, now.
    pub fn new(target: Target, data: Value) -> Self {
        Self { target, from: Present::default(), data, omit: None, timestamp: clock::now_milliseconds() }
    }

    /// The topic it is told on.
    pub fn topic(&self, endpoint: &str) -> String {
        topic(endpoint, &self.target)
    }

    /// As it is told to the other instances by process `source` of `instance`.
    pub fn to_text(&self, endpoint: &Arc<str>, instance: &Arc<str>, source: &Arc<str>) -> Bytes {
        let (user_id, room_id) = match &self.target {
            Target::Broadcast => (None, None),
            Target::User(user) => (Some(Arc::clone(user)), None),
            Target::Room(room) => (None, Some(Arc::clone(room))),
        };
        let envelope = Envelope {
            endpoint: Arc::clone(endpoint),
            user_id,
            room_id,
            data: self.data.clone(),
            source_instance: Arc::clone(instance),
            source: Some(Arc::clone(source)),
            from: self.from.clone(),
            omit: self.omit.clone(),
            timestamp: Some(self.timestamp),
        };
        // Strings, numbers and maps with text keys: nothing here can fail to serialise.
        serde_json::to_vec(&envelope).unwrap_or_default().into()
    }

    /// Reads what was told on a topic; `None` when it is no message, or one that process `own` told. Whom
    /// it reaches is the topic's to say.
    pub fn parse(topic: &str, text: &[u8], own: &str) -> Option<(Arc<str>, Self)> {
        let (endpoint, target) = parse_topic(topic)?;
        let envelope: Envelope = serde_json::from_slice(text).ok()?;
        if envelope.source.as_deref() == Some(own) {
            return None;
        }
        let Envelope { from, data, omit, timestamp, .. } = envelope;
        let timestamp = timestamp.unwrap_or_else(clock::now_milliseconds);
        Some((endpoint, Self { target, from, data, omit, timestamp }))
    }

    /// The frame browsers get: made once for all of them.
    pub fn encoded(&self) -> Bytes {
        text_frame(&frame("message", &self.delivered()))
    }

    /// What browsers are told.
    pub(super) fn delivered(&self) -> Delivered {
        Delivered {
            from: self.from.clone(),
            target: self.target.aim(),
            data: self.data.clone(),
            timestamp: clock::rfc3339(self.timestamp),
        }
    }
}

/// Where messages to a target are told.
pub fn topic(endpoint: &str, target: &Target) -> String {
    match target {
        Target::Broadcast => format!("ws:{endpoint}:broadcast"),
        Target::User(user) => format!("ws:{endpoint}:user:{user}"),
        Target::Room(room) => format!("ws:{endpoint}:room:{room}"),
    }
}

fn parse_topic(topic: &str) -> Option<(Arc<str>, Target)> {
    let (endpoint, target) = topic.strip_prefix("ws:")?.split_once(':')?;
    let target = match target.split_once(':') {
        None if target == "broadcast" => Target::Broadcast,
        Some(("user", user)) => Target::User(user.into()),
        Some(("room", room)) => Target::Room(room.into()),
        _ => return None,
    };
    Some((endpoint.into(), target))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_told_is_heard_as_it_was_by_everybody_else() {
        let (endpoint, instance, source): (Arc<str>, Arc<str>, Arc<str>) = ("e".into(), "0:0".into(), "p1".into());
        for target in [Target::Broadcast, Target::User("u:1".into()), Target::Room("a:b".into())] {
            let post = Post { omit: Some("tab".into()), ..Post::new(target, json!({ "x": [1, null] })) };
            let text = post.to_text(&endpoint, &instance, &source);
            let topic = post.topic("e");
            assert_eq!(Post::parse(&topic, &text, "p2"), Some((Arc::clone(&endpoint), post)));
            assert_eq!(Post::parse(&topic, &text, "p1"), None);
        }
    }

    #[test]
    fn a_message_without_what_is_optional_is_read() {
        let theirs = br#"{"endpoint":"hello-emoji","userId":"7","data":{"emoji":"x"},"sourceInstance":"web-1-99"}"#;
        let (endpoint, post) = Post::parse("ws:hello-emoji:user:7", theirs, "p1").unwrap();
        assert_eq!(
            (&*endpoint, post.target, post.data),
            ("hello-emoji", Target::User("7".into()), json!({ "emoji": "x" }))
        );
        let ours = Post::new(Target::User("7".into()), json!(1)).to_text(&endpoint, &"0:0".into(), &"p".into());
        let ours: Value = serde_json::from_slice(&ours).unwrap();
        assert_eq!(
            (&ours["endpoint"], &ours["userId"], &ours["data"]),
            (&json!("hello-emoji"), &json!("7"), &json!(1))
        );
        assert_eq!(ours["sourceInstance"], "0:0");
        for strange in ["ws:e:other", "ws:e", "ws:e:broadcast:x", "bc:e:broadcast"] {
            assert_eq!(Post::parse(strange, theirs, "p"), None, "{strange}");
        }
        assert_eq!(Post::parse("ws:e:broadcast", b"[]x", "p"), None);
    }
}
