//! One room as this browser knows it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use leptos::{prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::endpoint::{Present, RequestError, RoomFrame};

use super::super::said::Said;
use crate::{
    cluster::Endpoint,
    components::{presence::display_name_for, say_form::LINE_CHARS},
};

/// Lines kept of a room; the oldest go.
const KEPT: usize = 30;

/// What members tell each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum News {
    /// I am in this room; who else is, if I ask.
    Here { room_id: Arc<str>, asks: bool },
    /// I leave.
    Gone,
    /// A line for everybody in the room.
    Line { text: String },
}

/// One room. The server counts its members; their names are what they tell themselves.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) is_joined: RwSignal<bool>,
    /// As last told; `None` until this browser has been inside.
    pub(super) count: RwSignal<Option<usize>>,
    pub(super) people: RwSignal<BTreeMap<Arc<str>, Present>>,
    pub(super) lines: RwSignal<VecDeque<Line>>,
    lines_heard: StoredValue<usize>,
}

/// Something said in a room.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) key: usize,
    pub(super) who: String,
    pub(super) text: String,
    pub(super) at: String,
}

impl Room {
    pub(super) fn new(id: &'static str, name: &'static str) -> Self {
        Self {
            id,
            name,
            is_joined: RwSignal::new(false),
            count: RwSignal::new(None),
            people: RwSignal::default(),
            lines: RwSignal::default(),
            lines_heard: StoredValue::new(0),
        }
    }

    /// Goes in, and tells who is there.
    pub(super) fn join(self, endpoint: Endpoint) {
        self.is_joined.set(true);
        self.people.set(BTreeMap::new());
        spawn_local(async move {
            let joined = endpoint.ask(&json!({ "type": "join", "roomId": self.id })).await;
            match joined.ok().and_then(|data| serde_json::from_value::<RoomFrame>(data["data"].clone()).ok()) {
                Some(RoomFrame { members, .. }) => {
                    self.count.try_set(Some(members));
                    self.tell(endpoint, &self.here(true));
                }
                None => drop(self.is_joined.try_set(false)),
            }
        });
    }

    /// Goes out.
    pub(super) fn leave(self, endpoint: Endpoint) {
        self.is_joined.set(false);
        self.people.set(BTreeMap::new());
        self.tell(endpoint, &News::Gone);
        spawn_local(async move {
            let left = endpoint.ask(&json!({ "type": "leave", "roomId": self.id })).await;
            if let Some(frame) =
                left.ok().and_then(|data| serde_json::from_value::<RoomFrame>(data["data"].clone()).ok())
            {
                self.count.try_set(Some(frame.members));
            }
        });
    }

    /// Says a line to everybody in it.
    pub(super) async fn say(self, endpoint: Endpoint, text: String) -> Result<(), RequestError> {
        endpoint.ask(&self.message(&News::Line { text })).await.map(drop)
    }

    /// Takes a frame of the endpoint in; those of other rooms are passed over.
    pub(super) fn hear(self, endpoint: Endpoint, frame: &Value) {
        if !self.is_joined.get_untracked() {
            return;
        }
        if frame["type"] == "room-count" && frame["data"]["roomId"] == self.id {
            let members = frame["data"]["members"].as_u64().and_then(|members| usize::try_from(members).ok());
            self.count.set(members);
        }
        let Some(Said { from, room, data, at }) = Said::read(frame) else { return };
        let is_in_here = room.as_deref() == Some(self.id);
        let own_id = endpoint.own_id().get_untracked();
        match data {
            News::Here { room_id, asks } if *room_id == *self.id => {
                if asks && from.id != own_id {
                    let message = json!({ "type": "user", "userId": from.id, "data": self.here(false) });
                    endpoint.send(&message);
                }
                self.people.update(|people| drop(people.insert(Arc::clone(&from.id), from)));
            }
            News::Gone if is_in_here && from.id == own_id => self.tell(endpoint, &self.here(false)),
            News::Gone if is_in_here => self.people.update(|people| drop(people.remove(&from.id))),
            News::Line { text } if is_in_here => self.keep(display_name_for(&from, &own_id), &text, at),
            _ => {}
        }
    }

    fn keep(self, who: String, text: &str, at: String) {
        let key = self.lines_heard.get_value();
        self.lines_heard.set_value(key + 1);
        let text = text.chars().take(LINE_CHARS).collect();
        self.lines.update(|lines| {
            lines.push_front(Line { key, who, text, at });
            lines.truncate(KEPT);
        });
    }

    fn here(self, asks: bool) -> News {
        News::Here { room_id: self.id.into(), asks }
    }

    fn tell(self, endpoint: Endpoint, news: &News) {
        endpoint.send(&self.message(news));
    }

    fn message(self, news: &News) -> Value {
        json!({ "type": "room", "roomId": self.id, "data": news })
    }
}
