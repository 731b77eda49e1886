//! One connection to a WebSocket endpoint as a value: what happens goes in, what is to be done comes out.
//!
//! No socket, no timer, no random numbers: time and chance come in as arguments. What is sent while the
//! connection is away waits, within bounds, and then goes out as fast as the server takes it; a request is
//! settled exactly once, whatever happens.

mod event;
mod outgoing;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::{Map, Value};
use wire::{
    Code, backoff, close,
    endpoint::RequestError,
    limits::{MESSAGE_BYTES, REPLY_WITHIN},
    object, to_text,
};

use crate::{
    liveness::{Liveness, Verdict},
    pacer::Pacer,
};
pub use event::{Action, Event, RequestId, Status};
use outgoing::Outgoing;

/// How long opening a socket may take.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// How long to leave a server alone that asked for fewer messages without saying how long.
const REST: Duration = Duration::from_secs(1);
/// Between two questions why no socket opens, at least.
const INQUIRE_EVERY: Duration = Duration::from_secs(30);

/// One tab's side of an endpoint.
#[derive(Debug)]
pub struct Talk {
    phase: Phase,
    status: Status,
    /// Attempts since a connection last stood.
    attempt: u32,
    /// Not to connect before this, as a parting server asked.
    not_before: Option<Duration>,
    /// Not to ask before this why no socket opens.
    inquire_from: Duration,
    /// What waits for the connection, for the server to take more, or for an answer.
    outgoing: Outgoing,
}

#[derive(Debug)]
enum Phase {
    Waiting { until: Option<Duration> },
    Opening { until: Duration },
    Open(Open),
    Over,
}

#[derive(Debug)]
struct Open {
    liveness: Liveness,
    pacer: Pacer,
    /// Messages wait until then: the server asked for fewer. `None` before its first frame, which says how many
    /// it takes.
    ready_from: Option<Duration>,
}

impl Default for Talk {
    fn default() -> Self {
        Self {
            phase: Phase::Waiting { until: None },
            status: Status::Connecting,
            attempt: 0,
            not_before: None,
            inquire_from: Duration::ZERO,
            outgoing: Outgoing::default(),
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
            Event::Send(message) => self.put(to_text(&Value::Object(message)), &mut actions),
            Event::Request { id, message, within } => self.request(id, message, within, now, &mut actions),
            Event::Answer { request_id, answer } => self.answer(&request_id, answer, now, &mut actions),
            Event::Ended => {
                actions.push(Action::Disconnect);
                self.give_up(Status::Disconnected, &mut actions);
            }
        }
        self.look_at_the_clock(now, dice, &mut actions);
        self.flush(now, &mut actions);
        actions
    }

    /// When [`Event::Woke`] is wanted next.
    pub fn wake_at(&self) -> Option<Duration> {
        let phase = match &self.phase {
            Phase::Over => return None,
            Phase::Waiting { until } => *until,
            Phase::Opening { until } => Some(*until),
            Phase::Open(open) => Some(open.liveness.wake_at()),
        };
        let send = match &self.phase {
            Phase::Open(Open { pacer, ready_from: Some(ready_from), .. }) if self.outgoing.is_waiting() => {
                Some(pacer.ready_at().max(*ready_from))
            }
            _ => None,
        };
        [phase, send, self.outgoing.wake_at()].into_iter().flatten().min()
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
        self.phase = Phase::Open(Open { liveness: Liveness::new(now), pacer: Pacer::new(now), ready_from: None });
        self.change(Status::Connected, actions);
    }

    /// Sends what may go out now.
    fn flush(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let Phase::Open(Open { pacer, ready_from: Some(ready_from), .. }) = &mut self.phase else { return };
        while self.outgoing.is_waiting() && now >= *ready_from && pacer.take(now) {
            actions.extend(self.outgoing.next().map(Action::Send));
        }
    }

    fn closed(&mut self, now: Duration, dice: f64, actions: &mut Vec<Action>) {
        let was_opening = matches!(self.phase, Phase::Opening { .. });
        // Whether it was done nobody can tell: it is for the asker to ask again.
        for id in self.outgoing.sent() {
            self.settle(id, Err(lost()), actions);
        }
        if was_opening && now >= self.inquire_from {
            self.inquire_from = now + INQUIRE_EVERY;
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
        // A page that was away may have lost its session.
        self.inquire_from = now;
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
        if let Phase::Open(open) = &mut self.phase
            && open.liveness.doubt(now)
        {
            open.pacer.count(now);
            actions.push(Action::Send(ping()));
        }
    }

    fn look_at_the_clock(&mut self, now: Duration, dice: f64, actions: &mut Vec<Action>) {
        let late = self.outgoing.overdue(now);
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
            Phase::Open(open) => match open.liveness.check(now) {
                Verdict::Dead => {
                    actions.push(Action::Disconnect);
                    self.closed(now, dice, actions);
                }
                Verdict::Ask => {
                    open.pacer.count(now);
                    actions.push(Action::Send(ping()));
                }
                Verdict::Fine => {}
            },
            _ => {}
        }
    }

    fn heard(&mut self, text: &str, now: Duration, dice: f64, actions: &mut Vec<Action>) {
        if let Phase::Open(open) = &mut self.phase {
            open.liveness.heard(now);
            open.ready_from.get_or_insert(now);
        }
        let Ok(Value::Object(mut frame)) = serde_json::from_str(text) else { return };
        let details = frame.remove("details").unwrap_or_default();
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
        let is_too_fast = matches!(&outcome, Err(error) if error.code == Code::RateLimitExceeded);
        if is_too_fast && let Phase::Open(open) = &mut self.phase {
            let pause = details["retryAfterMs"].as_u64().map_or(REST, Duration::from_millis);
            open.ready_from = Some(now + pause);
        }
        if let Some(id) = id.as_ref().and_then(own_id) {
            return if is_too_fast { self.outgoing.retry(id) } else { self.settle(id, outcome, actions) };
        }
        match (kind, outcome) {
            ("pong", _) => {}
            // Only now is it clear that the server takes this tab.
            ("connected", _) => self.greeted(&data["limits"], now),
            ("drain", _) => {
                let of = |name: &str| Duration::from_millis(data["data"][name].as_u64().unwrap_or_default());
                self.not_before = Some(now + of("retryAfterMs") + of("spreadMs").mul_f64(dice.clamp(0.0, 1.0)));
            }
            (_, Ok(data)) => actions.push(Action::Deliver(data)),
            (_, Err(RequestError { code, error })) => actions.push(Action::Deliver(error_data(code, error))),
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
        message.insert("requestId".to_owned(), wire_id(id));
        let text = to_text(&Value::Object(message));
        if text.len() > MESSAGE_BYTES {
            let error = RequestError::new(Code::MessageTooLarge, "the message is too large");
            actions.push(Action::Settle(id, Err(error)));
            return;
        }
        if !self.outgoing.request(id, text, now + within.unwrap_or(REPLY_WITHIN)) {
            let error = RequestError::new(Code::RateLimitExceeded, "too many requests wait for their answers");
            actions.push(Action::Settle(id, Err(error)));
        }
    }

    /// The server takes this tab, and so many messages of it.
    fn greeted(&mut self, limits: &Value, now: Duration) {
        self.attempt = 0;
        self.inquire_from = now;
        if let Phase::Open(open) = &mut self.phase
            && let (Some(messages), Some(interval)) = (limits["maxMessages"].as_u64(), limits["interval"].as_u64())
        {
            open.pacer.adapt(u32::try_from(messages).unwrap_or(u32::MAX), Duration::from_millis(interval));
        }
    }

    fn answer(
        &mut self,
        request_id: &Value,
        answer: Result<Value, RequestError>,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        // A connection that is gone has taken its question along.
        let Phase::Open(open) = &mut self.phase else { return };
        open.pacer.count(now);
        let mut fields = vec![("type", "response".into()), ("requestId", request_id.clone())];
        match answer {
            Ok(data) => fields.push(("data", data)),
            Err(RequestError { code, error }) => {
                fields.extend([("error", error.into()), ("code", code.as_str().into())]);
            }
        }
        actions.push(Action::Send(to_text(&object(fields))));
    }

    fn put(&mut self, text: String, actions: &mut Vec<Action>) {
        // A page that sends too much to a server that is there can know it.
        if self.outgoing.push(text) && matches!(self.phase, Phase::Open(_)) {
            let error = "more messages wait than are kept; the oldest was dropped";
            actions.push(Action::Deliver(error_data(Code::RateLimitExceeded, error.to_owned())));
        }
    }

    fn settle(&mut self, id: RequestId, outcome: Result<Value, RequestError>, actions: &mut Vec<Action>) {
        if self.outgoing.settle(id) {
            actions.push(Action::Settle(id, outcome));
        }
    }

    fn give_up(&mut self, status: Status, actions: &mut Vec<Action>) {
        actions.extend(self.outgoing.clear().into_iter().map(|id| Action::Settle(id, Err(lost()))));
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

/// An error that answers no request, as listeners get it.
fn error_data(code: Code, error: String) -> Value {
    object(vec![("type", "error".into()), ("code", code.as_str().into()), ("error", error.into())])
}

fn lost() -> RequestError {
    RequestError::new(Code::ConnectionLost, "the connection ended before the answer came")
}

fn ping() -> String {
    to_text(&object(vec![("type", "ping".into())]))
}
