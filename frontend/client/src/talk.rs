//! One connection to a WebSocket endpoint as a value: what happens goes in, what is to be done comes out.
//!
//! No socket, no timer, no random numbers: time and chance come in as arguments. What is sent while the
//! connection is away waits, within bounds; a request is settled exactly once, whatever happens.

mod event;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use serde_json::{Map, Value};
use wire::{
    Code, backoff, close,
    endpoint::RequestError,
    limits::{MESSAGE_BYTES, REPLY_WITHIN},
    object, to_text,
};

use crate::{
    liveness::{Liveness, Verdict},
    table::Table,
};
pub use event::{Action, Event, RequestId, Status};

/// How long opening a socket may take.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// Messages that wait for the connection; beyond, the oldest that is no request falls out.
const WAITING: usize = 100;
/// Requests under way at once.
const REQUESTS: usize = 256;

/// One tab's side of an endpoint.
#[derive(Debug)]
pub struct Talk {
    phase: Phase,
    status: Status,
    /// Attempts since a connection last stood.
    attempt: u32,
    /// Not to connect before this, as a parting server asked.
    not_before: Option<Duration>,
    /// Texts that wait for the connection.
    waiting: VecDeque<(Option<RequestId>, String)>,
    /// By when each request is answered, and whether it was sent.
    requests: Table<RequestId, Pending>,
}

#[derive(Debug)]
struct Pending {
    until: Duration,
    is_sent: bool,
}

#[derive(Debug)]
enum Phase {
    Waiting { until: Option<Duration> },
    Opening { until: Duration },
    Open(Liveness),
    Over,
}

impl Default for Talk {
    fn default() -> Self {
        Self {
            phase: Phase::Waiting { until: None },
            status: Status::Connecting,
            attempt: 0,
            not_before: None,
            waiting: VecDeque::new(),
            requests: Table::default(),
        }
    }
}

impl Talk {
    /// Takes in what happens at `now`, counted from any fixed moment; `dice` is a fresh random number
    /// in `0.0..=1.0`.
    pub fn handle(&mut self, event: Event, now: Duration, dice: f64) -> Vec<Action> {
        let mut actions = Vec::new();
        if matches!(self.phase, Phase::Over) {
            if let Event::Request { id, .. } = event {
                actions.push(Action::Settle(id, Err(lost())));
            }
            return actions;
        }
        match event {
            Event::Started => self.connect(now, &mut actions),
            Event::Opened => self.opened(now, &mut actions),
            Event::Closed { code } if close::is_final(code) => self.give_up(Status::AuthRequired, &mut actions),
            Event::Refused => {
                actions.push(Action::Disconnect);
                self.give_up(Status::AuthRequired, &mut actions);
            }
            Event::Closed { .. } => self.closed(now, dice, &mut actions),
            Event::Text(text) => self.heard(&text, now, dice, &mut actions),
            Event::Woke => {}
            Event::Encouraged => self.encouraged(now, &mut actions),
            Event::Discouraged => self.doubt(now, &mut actions),
            Event::Send(message) => self.put(None, to_text(&Value::Object(message)), &mut actions),
            Event::Request { id, message, within } => self.request(id, message, within, now, &mut actions),
            Event::Answer { request_id, answer } => self.answer(&request_id, answer, &mut actions),
            Event::Ended => {
                actions.push(Action::Disconnect);
                self.give_up(Status::Disconnected, &mut actions);
            }
        }
        self.look_at_the_clock(now, dice, &mut actions);
        actions
    }

    /// When [`Event::Woke`] is wanted next.
    pub fn wake_at(&self) -> Option<Duration> {
        let phase = match &self.phase {
            Phase::Over => return None,
            Phase::Waiting { until } => *until,
            Phase::Opening { until } => Some(*until),
            Phase::Open(liveness) => Some(liveness.wake_at()),
        };
        let request = self.requests.values().map(|pending| pending.until).min();
        [phase, request].into_iter().flatten().min()
    }

    /// How the connection is doing.
    pub fn status(&self) -> Status {
        self.status
    }

    fn connect(&mut self, now: Duration, actions: &mut Vec<Action>) {
        self.not_before = None;
        self.phase = Phase::Opening { until: now + OPEN_WITHIN };
        actions.push(Action::Connect);
    }

    fn opened(&mut self, now: Duration, actions: &mut Vec<Action>) {
        self.phase = Phase::Open(Liveness::new(now));
        self.change(Status::Connected, actions);
        for (id, text) in std::mem::take(&mut self.waiting) {
            if let Some(pending) = id.and_then(|id| self.requests.get_mut(&id)) {
                pending.is_sent = true;
            }
            actions.push(Action::Send(text));
        }
    }

    fn closed(&mut self, now: Duration, dice: f64, actions: &mut Vec<Action>) {
        let was_opening = matches!(self.phase, Phase::Opening { .. });
        // Whether it was done nobody can tell: it is for the asker to ask again.
        let sent: Vec<RequestId> =
            self.requests.iter().filter(|(_, pending)| pending.is_sent).map(|(id, _)| *id).collect();
        for id in sent {
            self.settle(id, Err(lost()), actions);
        }
        if was_opening && self.attempt == 0 {
            actions.push(Action::Inquire);
        }
        let pause = backoff::reconnect_delay(self.attempt, dice);
        self.attempt = self.attempt.saturating_add(1);
        let until = self.not_before.map_or(now + pause, |moment| moment.max(now));
        self.phase = Phase::Waiting { until: Some(until) };
        if self.status == Status::Connected {
            self.change(Status::Reconnecting, actions);
        }
    }

    fn encouraged(&mut self, now: Duration, actions: &mut Vec<Action>) {
        match &self.phase {
            // A server that asked for time gets it, whoever looks at the page.
            Phase::Waiting { until: Some(_) } if self.not_before.is_none_or(|moment| now >= moment) => {
                self.connect(now, actions);
            }
            _ => self.doubt(now, actions),
        }
    }

    /// There is reason to think that nobody hears us: better ask.
    fn doubt(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if let Phase::Open(liveness) = &mut self.phase
            && liveness.doubt(now)
        {
            actions.push(Action::Send(ping()));
        }
    }

    fn look_at_the_clock(&mut self, now: Duration, dice: f64, actions: &mut Vec<Action>) {
        let late: Vec<RequestId> =
            self.requests.iter().filter(|(_, pending)| pending.until <= now).map(|(id, _)| *id).collect();
        if !late.is_empty() {
            self.doubt(now, actions);
        }
        for id in late {
            let error = RequestError::new(Code::NoReply, "the server did not answer in time");
            self.settle(id, Err(error), actions);
        }
        match &mut self.phase {
            Phase::Waiting { until: Some(until) } if *until <= now => self.connect(now, actions),
            Phase::Opening { until } if *until <= now => {
                actions.push(Action::Disconnect);
                self.closed(now, dice, actions);
            }
            Phase::Open(liveness) => match liveness.check(now) {
                Verdict::Dead => {
                    actions.push(Action::Disconnect);
                    self.closed(now, dice, actions);
                }
                Verdict::Ask => actions.push(Action::Send(ping())),
                Verdict::Fine => {}
            },
            _ => {}
        }
    }

    fn heard(&mut self, text: &str, now: Duration, dice: f64, actions: &mut Vec<Action>) {
        if let Phase::Open(liveness) = &mut self.phase {
            liveness.heard(now);
        }
        let Ok(Value::Object(mut frame)) = serde_json::from_str(text) else { return };
        let (data, id) = (frame.remove("data").unwrap_or_default(), frame.remove("requestId"));
        let kind = data.get("type").and_then(Value::as_str).unwrap_or_default();
        let outcome = if frame.get("success") == Some(&Value::Bool(true)) {
            Ok(data.clone())
        } else {
            let text = |name: &str| frame.get(name).and_then(Value::as_str).unwrap_or_default();
            let code = Code::read(text("code"));
            Err(RequestError::new(code, text("error")))
        };
        if kind == "request" {
            let data = data.get("data").cloned().unwrap_or_default();
            actions.push(Action::Asked { request_id: id.unwrap_or_default(), data });
            return;
        }
        if let Some(id) = id.as_ref().and_then(own_id) {
            return self.settle(id, outcome, actions);
        }
        match (kind, outcome) {
            ("pong", _) => {}
            // Only now is it clear that the server takes this tab.
            ("connected", _) => self.attempt = 0,
            ("drain", _) => {
                let of = |name: &str| Duration::from_millis(data["data"][name].as_u64().unwrap_or_default());
                self.not_before = Some(now + of("retryAfterMs") + of("spreadMs").mul_f64(dice.clamp(0.0, 1.0)));
            }
            (_, Ok(data)) => actions.push(Action::Deliver(data)),
            (_, Err(RequestError { code, error })) => {
                actions.push(Action::Deliver(object(vec![
                    ("type", "error".into()),
                    ("code", code.as_str().into()),
                    ("error", error.into()),
                ])));
            }
        }
    }

    fn request(
        &mut self,
        id: RequestId,
        mut message: Map<String, Value>,
        within: Option<Duration>,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        if self.requests.len() >= REQUESTS {
            let error = RequestError::new(Code::RateLimitExceeded, "too many requests wait for their answers");
            actions.push(Action::Settle(id, Err(error)));
            return;
        }
        message.insert("requestId".to_owned(), wire_id(id));
        let text = to_text(&Value::Object(message));
        if text.len() > MESSAGE_BYTES {
            let error = RequestError::new(Code::MessageTooLarge, "the message is too large");
            actions.push(Action::Settle(id, Err(error)));
            return;
        }
        let is_sent = matches!(self.phase, Phase::Open(_));
        self.requests.insert(id, Pending { until: now + within.unwrap_or(REPLY_WITHIN), is_sent });
        self.put(Some(id), text, actions);
    }

    fn answer(&mut self, request_id: &Value, answer: Result<Value, RequestError>, actions: &mut Vec<Action>) {
        // A connection that is gone has taken its question along.
        if !matches!(self.phase, Phase::Open(_)) {
            return;
        }
        let mut fields = vec![("type", "response".into()), ("requestId", request_id.clone())];
        match answer {
            Ok(data) => fields.push(("data", data)),
            Err(RequestError { code, error }) => {
                fields.extend([("error", error.into()), ("code", code.as_str().into())]);
            }
        }
        actions.push(Action::Send(to_text(&object(fields))));
    }

    fn put(&mut self, id: Option<RequestId>, text: String, actions: &mut Vec<Action>) {
        if matches!(self.phase, Phase::Open(_)) {
            actions.push(Action::Send(text));
            return;
        }
        if self.waiting.len() >= WAITING
            && let Some(oldest) = self.waiting.iter().position(|(id, _)| id.is_none())
        {
            self.waiting.remove(oldest);
        }
        self.waiting.push_back((id, text));
    }

    fn settle(&mut self, id: RequestId, outcome: Result<Value, RequestError>, actions: &mut Vec<Action>) {
        if self.requests.remove(&id).is_some() {
            self.waiting.retain(|(waiting, _)| *waiting != Some(id));
            actions.push(Action::Settle(id, outcome));
        }
    }

    fn give_up(&mut self, status: Status, actions: &mut Vec<Action>) {
        for id in self.requests.keys().copied().collect::<Vec<_>>() {
            self.settle(id, Err(lost()), actions);
        }
        self.waiting.clear();
        self.phase = Phase::Over;
        self.change(status, actions);
    }

    fn change(&mut self, status: Status, actions: &mut Vec<Action>) {
        if self.status != status {
            self.status = status;
            actions.push(Action::Status(status));
        }
    }
}

fn wire_id(RequestId(id): RequestId) -> Value {
    Value::String(["r-", &id.to_string()].concat())
}

fn own_id(id: &Value) -> Option<RequestId> {
    id.as_str()?.strip_prefix("r-")?.parse().ok().map(RequestId)
}

fn lost() -> RequestError {
    RequestError::new(Code::ConnectionLost, "the connection ended before the answer came")
}

fn ping() -> String {
    to_text(&object(vec![("type", "ping".into())]))
}
