//! The relay's protocol as a value: what happens goes in, what is to be done comes out.
//!
//! No socket, no timer, no random numbers: time and chance come in as arguments, so that a drop, a
//! duplicate or a year of silence is one line of a test.
//!
//! Promises to every listener: each message once, in the order of the channel's log; after a drop,
//! first what was missed; and news of it when something is lost for good.

mod event;
mod publishes;
mod recent;
#[cfg(test)]
mod tests;
mod topics;
mod wildcard;

use std::{rc::Rc, time::Duration};

use serde_json::Value;
use wire::{Channel, ClientFrame, Code, Failure, Frame, Payload, ServerFrame, backoff, close, limits::MESSAGE_BYTES};

use crate::{
    liveness::{Liveness, Verdict},
    pacer::Pacer,
};
pub use event::{Action, Event, State};
use publishes::Publishes;
pub use publishes::{Outcome, PublishId};
use topics::Topics;
pub use topics::{ListenerId, News, Own, Wish};

/// How long opening a socket may take.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// How long to leave the server alone that asked for fewer messages without saying how long.
const REST: Duration = Duration::from_secs(1);

/// One tab's side of the relay.
#[derive(Debug)]
pub struct Session {
    uuid: Rc<str>,
    phase: Phase,
    state: State,
    /// Who the server takes this tab's visitor for, as it said last.
    username: Option<String>,
    /// Attempts since a connection last proved good.
    attempt: u32,
    /// Not to connect before this, as a parting server asked.
    not_before: Option<Duration>,
    topics: Topics,
    publishes: Publishes,
}

#[derive(Debug)]
enum Phase {
    Waiting { until: Option<Duration> },
    Opening { until: Duration },
    Open(Open),
    Stopped,
}

#[derive(Debug)]
struct Open {
    pacer: Pacer,
    liveness: Liveness,
    /// Subscriptions wait until then: the server asked for fewer messages.
    rests_until: Duration,
}

impl Session {
    /// Not connected; `uuid` names the tab.
    pub fn new(uuid: Rc<str>) -> Self {
        Self {
            uuid,
            phase: Phase::Waiting { until: None },
            state: State::Connecting,
            username: None,
            attempt: 0,
            not_before: None,
            topics: Topics::new(),
            publishes: Publishes::default(),
        }
    }

    /// Takes in what happens at `now`, counted from any fixed moment; `dice` is a fresh random number
    /// in `0.0..=1.0`.
    pub fn handle(&mut self, event: Event, now: Duration, dice: f64) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Started => self.connect(now, &mut actions),
            Event::Opened => self.opened(now, &mut actions),
            Event::Closed { code } if close::is_final(code) => self.stop(&mut actions),
            Event::Closed { .. } => self.closed(now, dice, &mut actions),
            Event::Text(text) => self.heard(&text, now, dice, &mut actions),
            Event::Woke => self.woke(now, dice, &mut actions),
            Event::Encouraged => self.encouraged(now, &mut actions),
            Event::Discouraged => self.doubt(now, &mut actions),
            Event::Subscribe(id, wish) => actions.extend(self.topics.join(id, wish).map(|news| Action::Tell(id, news))),
            Event::Unsubscribe(id) => self.topics.leave(id),
            Event::Publish { id, channel, payload } => self.publish(id, &channel, payload, &mut actions),
        }
        self.flush(now, &mut actions);
        actions
    }

    /// When [`Event::Woke`] is wanted next.
    pub fn wake_at(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Stopped => None,
            Phase::Waiting { until } => *until,
            Phase::Opening { until } => Some(*until),
            Phase::Open(open) => {
                let ready = open.pacer.ready_at();
                let moments = [
                    Some(open.liveness.wake_at()),
                    self.not_before,
                    self.publishes.wake_at(),
                    self.publishes.is_waiting().then_some(ready),
                    self.topics.is_due().then_some(ready.max(open.rests_until)),
                ];
                moments.into_iter().flatten().min()
            }
        }
    }

    fn connect(&mut self, now: Duration, actions: &mut Vec<Action>) {
        self.not_before = None;
        self.phase = Phase::Opening { until: now + OPEN_WITHIN };
        actions.push(Action::Connect);
    }

    fn opened(&mut self, now: Duration, actions: &mut Vec<Action>) {
        self.phase =
            Phase::Open(Open { pacer: Pacer::new(now), liveness: Liveness::new(now), rests_until: Duration::ZERO });
        self.change(State::Connected, actions);
    }

    fn closed(&mut self, now: Duration, dice: f64, actions: &mut Vec<Action>) {
        self.let_go(actions);
        let pause = backoff::reconnect_delay(self.attempt, dice);
        self.attempt = self.attempt.saturating_add(1);
        let until = self.not_before.map_or(now + pause, |moment| moment.max(now));
        self.phase = Phase::Waiting { until: Some(until) };
        if self.state == State::Connected {
            self.change(State::Reconnecting, actions);
        }
    }

    fn stop(&mut self, actions: &mut Vec<Action>) {
        self.let_go(actions);
        self.phase = Phase::Stopped;
        self.change(State::Stopped, actions);
    }

    /// What depended on the socket ends.
    fn let_go(&mut self, actions: &mut Vec<Action>) {
        self.topics.disconnected();
        actions.extend(self.publishes.lost().into_iter().map(|(id, outcome)| Action::Settle(id, outcome)));
    }

    fn woke(&mut self, now: Duration, dice: f64, actions: &mut Vec<Action>) {
        match &mut self.phase {
            Phase::Waiting { until: Some(until) } if now >= *until => self.connect(now, actions),
            Phase::Opening { until } if now >= *until => {
                actions.push(Action::Disconnect);
                self.closed(now, dice, actions);
            }
            Phase::Open(open) => match open.liveness.check(now) {
                _ if self.not_before.is_some_and(|moment| now >= moment) => self.reconnect(now, dice, actions),
                Verdict::Dead => self.reconnect(now, dice, actions),
                Verdict::Ask => actions.push(send(ClientFrame::Ping, None)),
                Verdict::Fine => {}
            },
            _ => {}
        }
        let overdue = self.publishes.overdue(now);
        if !overdue.is_empty() {
            self.doubt(now, actions);
        }
        actions.extend(overdue.into_iter().map(|id| Action::Settle(id, Outcome::TimedOut)));
    }

    /// Gives up the socket at hand and opens another at once.
    fn reconnect(&mut self, now: Duration, dice: f64, actions: &mut Vec<Action>) {
        actions.push(Action::Disconnect);
        self.closed(now, dice, actions);
        self.connect(now, actions);
    }

    fn encouraged(&mut self, now: Duration, actions: &mut Vec<Action>) {
        match &mut self.phase {
            // A server that asked for time gets it, whoever looks at the page.
            Phase::Waiting { until: Some(_) } if self.not_before.is_none_or(|moment| now >= moment) => {
                self.attempt = 0;
                self.connect(now, actions);
            }
            _ => self.doubt(now, actions),
        }
    }

    /// There is reason to think that nobody hears us: better ask.
    fn doubt(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if let Phase::Open(open) = &mut self.phase {
            actions.extend(open.liveness.doubt(now).then(|| send(ClientFrame::Ping, None)));
        }
    }

    fn publish(&mut self, id: PublishId, channel: &Channel, payload: Payload, actions: &mut Vec<Action>) {
        if !matches!(self.phase, Phase::Open(_)) {
            actions.push(Action::Settle(id, Outcome::Unsent));
            return;
        }
        let frame = ClientFrame::Publish { channel: channel.as_str().to_owned(), data: Value::Object(payload) };
        let text = frame.into_json(Some(id_of("p", id.0)));
        if text.len() > MESSAGE_BYTES {
            let failure = Frame::failure(Code::MessageTooLarge, "the message is too large", None, None);
            if let Frame::Failure(failure) = failure {
                actions.push(Action::Settle(id, Outcome::Refused(failure)));
            }
        } else if !self.publishes.push(id, text) {
            actions.push(Action::Settle(id, Outcome::QueueFull));
        }
    }

    /// Sends what may go out now: subscriptions first.
    fn flush(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let Phase::Open(open) = &mut self.phase else { return };
        while self.topics.is_due() && now >= open.rests_until && open.pacer.take(now) {
            if let Some((number, frame)) = self.topics.next_frame() {
                actions.push(send(frame, Some(id_of("s", number))));
            }
        }
        while self.publishes.is_waiting() && open.pacer.take(now) {
            actions.extend(self.publishes.next(now).map(Action::Send));
        }
    }

    fn heard(&mut self, text: &str, now: Duration, dice: f64, actions: &mut Vec<Action>) {
        let Phase::Open(open) = &mut self.phase else { return };
        open.liveness.heard(now);
        // A server that talks is a good one.
        self.attempt = 0;
        // Newer servers say more than this version knows.
        let Ok(frame) = Frame::parse(text) else { return };
        match frame {
            Frame::Success { data, request_id, .. } => self.said(data, request_id.as_ref(), now, dice, actions),
            Frame::Failure(failure) => self.failed(failure, now, actions),
        }
    }

    fn said(
        &mut self,
        frame: ServerFrame,
        request_id: Option<&Value>,
        now: Duration,
        dice: f64,
        actions: &mut Vec<Action>,
    ) {
        match frame {
            ServerFrame::Connected { limits, ctx, .. } => {
                if let Phase::Open(open) = &mut self.phase {
                    let interval = Duration::from_millis(limits.interval);
                    open.pacer.adapt(limits.max_messages, interval);
                }
                if self.username.as_ref() != Some(&ctx.username) {
                    self.username = Some(ctx.username.clone());
                    actions.push(Action::Username(ctx.username));
                }
            }
            ServerFrame::Subscribed { data } => {
                if let Some(number) = number_of(request_id, 's') {
                    let news = self.topics.answered(number, &data);
                    actions.extend(news.into_iter().map(|(listener, news)| Action::Tell(listener, news)));
                }
            }
            ServerFrame::Broadcast { data, .. } => {
                let is_own = data.data.get("uuid").and_then(Value::as_str) == Some(&*self.uuid);
                let (is_recovered, listeners) = self.topics.deliver(&data, is_own);
                let message = Rc::new(data);
                actions.extend(listeners.into_iter().map(|listener| Action::Deliver {
                    listener,
                    message: Rc::clone(&message),
                    is_recovered,
                }));
            }
            ServerFrame::Published { data } => {
                if let Some(id) = number_of(request_id, 'p').map(PublishId)
                    && self.publishes.answered(id)
                {
                    actions.push(Action::Settle(id, Outcome::Taken(data)));
                }
            }
            ServerFrame::Cluster { data } => actions.push(Action::ClusterMode(data.cluster_mode)),
            ServerFrame::Gap { data } => {
                let listeners = self.topics.lost(&data.channel);
                actions.extend(listeners.into_iter().map(|listener| Action::Tell(listener, News::Gap)));
            }
            ServerFrame::Drain { data } => {
                let spread = Duration::from_millis(data.spread_ms).mul_f64(dice.clamp(0.0, 1.0));
                self.not_before = Some(now + Duration::from_millis(data.retry_after_ms) + spread);
            }
            ServerFrame::Welcome { data } => actions.extend(data.cluster_mode.map(Action::ClusterMode)),
            ServerFrame::Unsubscribed { .. } | ServerFrame::Pong { .. } => {}
        }
    }

    fn failed(&mut self, failure: Failure, now: Duration, actions: &mut Vec<Action>) {
        let request_id = failure.request_id.as_ref();
        if let Some(id) = number_of(request_id, 'p').map(PublishId) {
            if self.publishes.answered(id) {
                actions.push(Action::Settle(id, Outcome::Refused(failure)));
            }
        } else if let Some(number) = number_of(request_id, 's') {
            if failure.code == Code::RateLimitExceeded {
                let pause = failure.details.as_ref().and_then(|details| details.get("retryAfterMs")?.as_u64());
                if let Phase::Open(open) = &mut self.phase {
                    open.rests_until = now + pause.map_or(REST, Duration::from_millis);
                }
                self.topics.retry(number);
            } else if self.topics.asked_by(number).is_some() {
                actions.push(Action::Refused(failure));
            }
        }
    }

    fn change(&mut self, state: State, actions: &mut Vec<Action>) {
        if self.state != state {
            self.state = state;
            actions.push(Action::State(state));
        }
    }
}

fn send(frame: ClientFrame, request_id: Option<String>) -> Action {
    Action::Send(frame.into_json(request_id))
}

/// One of our own request ids: what kind of request, and its number.
fn id_of(kind: &str, number: u64) -> String {
    [kind, &number.to_string()].concat()
}

/// The number of one of our own request ids.
fn number_of(request_id: Option<&Value>, kind: char) -> Option<u64> {
    request_id?.as_str()?.strip_prefix(kind)?.parse().ok()
}
