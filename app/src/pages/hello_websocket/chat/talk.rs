//! What is said in the rooms, and who is about to say something.

use std::{collections::VecDeque, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::endpoint::Present;

use super::super::said::Said;
use crate::{
    cluster::Endpoint,
    components::{presence::display_name, say_form::LINE_CHARS},
};

/// The rooms of the chat: id and name.
pub(super) const ROOMS: [(&str, &str); 3] = [("general", "General"), ("help", "Help"), ("off-topic", "Off topic")];
/// The shortest time between two signs that somebody types.
pub(super) const TYPING_EVERY: Duration = Duration::from_secs(2);
/// How long somebody counts as typing without a further sign.
const TYPING_FOR: Duration = Duration::from_secs(4);
/// Lines kept on the page; the oldest go.
const KEPT: usize = 200;
/// People named as typing.
const TYPISTS: usize = 3;

/// What members of a room tell each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum News {
    /// A message.
    Line { text: String },
    /// Is about to send one.
    Typing,
}

/// The chat on this page.
#[derive(Clone, Copy)]
pub(super) struct Talk {
    pub(super) room: RwSignal<&'static str>,
    /// The oldest first.
    pub(super) lines: RwSignal<VecDeque<Line>>,
    pub(super) typing: RwSignal<Vec<Typist>>,
    count: StoredValue<usize>,
}

/// A message.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) key: usize,
    pub(super) room: String,
    pub(super) from: Present,
    pub(super) text: String,
    pub(super) at: String,
}

/// Somebody who types.
#[derive(Clone, PartialEq)]
pub(super) struct Typist {
    sign: usize,
    room: String,
    who: Present,
}

impl Talk {
    pub(super) fn new() -> Self {
        let (first, _) = ROOMS[0];
        Self {
            room: RwSignal::new(first),
            lines: RwSignal::default(),
            typing: RwSignal::default(),
            count: StoredValue::new(0),
        }
    }

    /// Takes a frame of the endpoint in.
    pub(super) fn hear(self, frame: &Value) {
        let Some(Said { from, room: Some(room), data, at }) = Said::read(frame) else { return };
        let (room, key) = (room.to_string(), self.count.get_value());
        self.count.set_value(key + 1);
        self.typing.update(|typing| typing.retain(|typist| typist.who.id != from.id));
        match data {
            News::Line { text } => self.lines.update(|lines| {
                let text = text.chars().take(LINE_CHARS).collect();
                lines.push_back(Line { key, room, from, text, at });
                if lines.len() > KEPT {
                    lines.pop_front();
                }
            }),
            News::Typing => {
                self.typing.update(|typing| typing.push(Typist { sign: key, room, who: from }));
                set_timeout(
                    move || {
                        // The page may be gone by then.
                        self.typing.try_update(|typing| typing.retain(|typist| typist.sign != key));
                    },
                    TYPING_FOR,
                );
            }
        }
    }
}

/// Goes from one room to another.
pub(super) fn enter(endpoint: Endpoint, before: Option<&'static str>, room: &'static str) {
    spawn_local(async move {
        // A room that cannot be left or entered now is when the connection is back.
        if let Some(before) = before {
            let _ = endpoint.ask(&json!({ "type": "leave", "roomId": before })).await;
        }
        let _ = endpoint.ask(&json!({ "type": "join", "roomId": room })).await;
    });
}

/// A message to a room.
pub(super) fn line(room: &str, text: &str) -> Value {
    json!({ "type": "room", "roomId": room, "data": News::Line { text: text.to_owned() } })
}

/// Tells a room that somebody types.
pub(super) fn typing(room: &str) -> Value {
    json!({ "type": "room", "roomId": room, "omitSelf": true, "data": News::Typing })
}

/// Who types in a room, in words; empty when nobody does.
pub(super) fn who_types(typing: &[Typist], room: &str) -> String {
    let names: Vec<String> =
        typing.iter().filter(|typist| typist.room == room).map(|typist| display_name(&typist.who)).collect();
    match &names[..] {
        [] => String::new(),
        [one] => format!("{one} is typing"),
        some if some.len() <= TYPISTS => format!("{} are typing", some.join(", ")),
        _ => "Several people are typing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use wire::endpoint::Present;

    use super::{Typist, who_types};

    #[test]
    fn those_who_type_are_named_while_they_are_few() {
        let typist = |name: &str| {
            let who = Present { id: name.into(), username: name.into() };
            Typist { sign: 0, room: "general".to_owned(), who }
        };
        let typing = ["ada", "grace", "mona", "tim"].map(typist);
        assert_eq!(who_types(&typing[..0], "general"), "");
        assert_eq!(who_types(&typing[..1], "general"), "ada is typing");
        assert_eq!(who_types(&typing[..2], "general"), "ada, grace are typing");
        assert_eq!(who_types(&typing, "general"), "Several people are typing");
        assert_eq!(who_types(&typing, "help"), "");
    }
}
