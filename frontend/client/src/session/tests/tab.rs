//! A tab whose clock and dice the test holds, and the frames it exchanges.

use serde_json::{Value, json};
use wire::{Payload, Position};

use super::*;

pub const CHANNEL: &str = "view:test:list:changed";
pub const ONE: ListenerId = ListenerId(1);
pub const TWO: ListenerId = ListenerId(2);

/// A session with its clock; dice always show 1.
pub struct Tab {
    pub session: Session,
    pub now: Duration,
}

impl Tab {
    pub fn new() -> Self {
        Self { session: Session::new("me".into()), now: Duration::ZERO }
    }

    pub fn connected() -> Self {
        let mut tab = Self::new();
        tab.on(Event::Started);
        tab.on(Event::Opened);
        tab
    }

    pub fn on(&mut self, event: Event) -> Vec<Action> {
        self.session.handle(event, self.now, 1.0)
    }

    pub fn hear(&mut self, data: Value) -> Vec<Action> {
        self.on(Event::Text(json!({"success": true, "data": data}).to_string()))
    }

    pub fn answer(&mut self, request_id: &str, data: Value) -> Vec<Action> {
        self.on(Event::Text(json!({"success": true, "data": data, "requestId": request_id}).to_string()))
    }

    pub fn fail(&mut self, request_id: &str, code: &str, details: Value) -> Vec<Action> {
        let frame = json!({"success": false, "error": "no", "code": code, "details": details, "requestId": request_id});
        self.on(Event::Text(frame.to_string()))
    }

    pub fn drop_and_reopen(&mut self) -> Vec<Action> {
        self.on(Event::Closed { code: 1006 });
        self.wait();
        self.on(Event::Opened)
    }

    /// Lets time pass until the session wants to be woken.
    pub fn wait(&mut self) -> Vec<Action> {
        self.now = self.session.wake_at().expect("something to wait for");
        self.on(Event::Woke)
    }

    pub fn subscribe(&mut self, id: ListenerId, pattern: &str, own: Own, since: Option<Position>) -> Vec<Action> {
        self.on(Event::Subscribe(id, Wish { pattern: pattern.parse().expect("a pattern"), own, since }))
    }

    pub fn publish(&mut self, id: u64) -> Vec<Action> {
        self.on(Event::Publish {
            id: PublishId(id),
            channel: CHANNEL.parse().expect("a channel"),
            payload: Payload::new(),
        })
    }
}

pub fn at(offset: u64) -> Position {
    Position { epoch: "e".into(), offset }
}

pub fn message(offset: u64) -> Value {
    json!({"type": "broadcast", "ctx": {"username": ""}, "data":
        {"channel": CHANNEL, "data": {}, "timestamp": "", "id": format!("m{offset}"), "epoch": "e", "offset": offset}})
}

pub fn own(mut message: Value) -> Value {
    message["data"]["data"]["uuid"] = json!("me");
    message
}

pub fn unpositioned(id: &str) -> Value {
    json!({"type": "broadcast", "ctx": {"username": ""}, "data":
        {"channel": CHANNEL, "data": {}, "timestamp": "", "id": id}})
}

pub fn stands(offset: u64, recovered: bool) -> Value {
    json!({"type": "subscribed", "data":
        {"channel": CHANNEL, "timestamp": "", "epoch": "e", "offset": offset, "recovered": recovered}})
}

pub fn sent(actions: &[Action]) -> Vec<Value> {
    let texts = actions.iter().filter_map(|action| match action {
        Action::Send(text) => Some(serde_json::from_str(text).expect("JSON")),
        _ => None,
    });
    texts.collect()
}

/// Who got what: listener, id, whether it was missed first.
pub fn delivered(actions: &[Action]) -> Vec<(u64, String, bool)> {
    let deliveries = actions.iter().filter_map(|action| match action {
        Action::Deliver { listener, message, is_recovered } => {
            Some((listener.0, message.id.to_string(), *is_recovered))
        }
        _ => None,
    });
    deliveries.collect()
}

pub fn told(actions: &[Action]) -> Vec<(u64, News)> {
    let news = actions.iter().filter_map(|action| match action {
        Action::Tell(listener, news) => Some((listener.0, *news)),
        _ => None,
    });
    news.collect()
}
