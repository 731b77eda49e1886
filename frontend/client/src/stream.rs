//! What the session says and hears, carried by event streams instead of a socket, as a value.
//!
//! The channels of a stream stand in its address: another set of them needs another stream. It is
//! opened beside the one at hand and takes its place when it stands in all channels, so that nothing
//! falls between them; what comes twice, the session knows by its position and id.

#[cfg(test)]
mod tests;

use std::{rc::Rc, time::Duration};

use serde_json::Value;
use wire::{Channel, Code, Layer, Pattern, Payload, Receipt, limits::SUBSCRIPTIONS, object, to_text};

use crate::table::Table;

/// Heard while there is nothing else to hear: a stream has at least one channel.
const QUIET: &str = "view:jpulse:stream:opened";
/// Stands in every frame that says that a subscription stands.
const SUBSCRIBED: &[u8] = b"\"subscribed\"";
/// What stands for no position.
const NO_POSITION: &str = "-";
/// Silence after which a ping is not answered before another stream has come through: a page sees
/// nothing of the heartbeats of the one at hand.
const TRUSTED_FOR: Duration = Duration::from_mins(1);

/// The streams of one connection, and what the session wants of them.
#[derive(Debug)]
pub struct Streams {
    uuid: Rc<str>,
    wanted: Table<String, Wanted>,
    /// The one that stands.
    current: Option<Stream>,
    /// The one that is on its way to take its place.
    next: Option<Stream>,
    /// Streams opened so far.
    count: u64,
    /// Another one is wanted.
    is_due: bool,
    is_open: bool,
    heard_at: Duration,
    /// Answered when the next one stands.
    pings: Vec<Value>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Tell the session that the connection stands.
    Opened,
    /// Hand a frame to the session.
    Hear(String),
    /// Ask for the next stream soon: more may be wanted in a moment.
    OpenSoon,
    /// Close all streams before this one soon: something of theirs may be on its way.
    CloseBefore(u64),
    /// Publish with a request, behind those before it.
    Publish {
        /// Where.
        channel: Channel,
        /// What.
        payload: Payload,
        /// For the answer.
        request_id: Value,
    },
}

#[derive(Debug)]
struct Wanted {
    /// The position to begin from, until a stream has begun there.
    since: Option<String>,
    /// Of the last request, until a stream has been asked.
    request_id: Value,
}

#[derive(Debug)]
struct Stream {
    number: u64,
    /// Its channels in the order of its address, with the requests it is to answer.
    channels: Vec<(String, Value)>,
    unanswered: usize,
    /// Of its last event: where it stands in each channel.
    id: String,
}

impl Streams {
    /// None yet, the first one due; `uuid` names the tab.
    pub fn new(uuid: Rc<str>) -> Self {
        Self {
            uuid,
            wanted: Table::default(),
            current: None,
            next: None,
            count: 0,
            is_due: true,
            is_open: false,
            heard_at: Duration::ZERO,
            pings: Vec::new(),
        }
    }

    /// Takes a frame of the session.
    pub fn say(&mut self, text: &str, now: Duration) -> Option<Step> {
        let mut frame: Value = serde_json::from_str(text).ok()?;
        let request_id = frame["requestId"].take();
        let channel = frame["channel"].as_str().unwrap_or_default().to_owned();
        match frame["type"].as_str()? {
            "subscribe" => {
                if let Err((code, error)) = self.check(&channel) {
                    return Some(Step::Hear(failure(code, &error, request_id)));
                }
                let since = &frame["since"];
                let since = since["epoch"].as_str().map(|epoch| [epoch, ":", &to_text(&since["offset"])].concat());
                // The session heeds the answer to its last request only.
                self.wanted.insert(channel, Wanted { since, request_id });
                self.open_soon()
            }
            "unsubscribe" => {
                // What still comes for it, nobody hears; nor does anybody wait for an answer.
                self.wanted.remove(&channel)?;
                self.open_soon()
            }
            "publish" => {
                let Value::Object(payload) = frame["data"].take() else { return None };
                Some(Step::Publish { channel: Channel::parse(&channel).ok()?, payload, request_id })
            }
            "ping" if now.saturating_sub(self.heard_at) < TRUSTED_FOR => Some(Step::Hear(pong(request_id))),
            "ping" => {
                self.pings.push(request_id);
                self.open_soon()
            }
            _ => None,
        }
    }

    /// Begins the next stream, when one is due and none is on its way: its number and address.
    pub fn open(&mut self) -> Option<(u64, String)> {
        if self.next.is_some() || !std::mem::take(&mut self.is_due) {
            return None;
        }
        let mut stands: Table<&str, &str> = Table::default();
        if let Some(current) = &self.current {
            for ((channel, _), position) in current.channels.iter().zip(current.id.split(',')) {
                stands.insert(channel, position);
            }
        }
        // The tab's own messages come too: which listeners leave them out is the session's business.
        let mut address = ["/api/1/app-cluster/events?uuid=", &*self.uuid].concat();
        let mut channels = Vec::with_capacity(self.wanted.len().max(1));
        for (channel, wanted) in self.wanted.iter_mut() {
            let asked = wanted.since.take();
            let since = asked.as_deref().or_else(|| stands.get(&**channel).copied()).unwrap_or(NO_POSITION);
            address.extend(["&channel=", channel, "&since=", since]);
            channels.push((channel.clone(), wanted.request_id.take()));
        }
        if channels.is_empty() {
            address.extend(["&channel=", QUIET]);
            channels.push((QUIET.to_owned(), Value::Null));
        }
        self.count += 1;
        let unanswered = channels.len();
        self.next = Some(Stream { number: self.count, channels, unanswered, id: String::new() });
        Some((self.count, address))
    }

    /// Takes an event of a stream.
    pub fn hear(&mut self, number: u64, text: String, id: String, now: Duration) -> Vec<Step> {
        self.heard_at = now;
        let mut steps = Vec::new();
        if !std::mem::replace(&mut self.is_open, true) {
            steps.push(Step::Opened);
        }
        match (&mut self.current, &mut self.next) {
            (_, Some(next)) if next.number == number => {
                next.id = id;
                match subscribed(&text) {
                    Some(answer) => {
                        steps.extend(next.answer(answer).map(Step::Hear));
                        if next.unanswered == 0 {
                            self.current = self.next.take();
                            steps.push(Step::CloseBefore(number));
                            steps.extend(self.pings.drain(..).map(|request_id| Step::Hear(pong(request_id))));
                            steps.extend(self.is_due.then_some(Step::OpenSoon));
                        }
                    }
                    None => steps.push(Step::Hear(text)),
                }
            }
            (Some(current), _) if current.number == number => {
                current.id = id;
                steps.push(Step::Hear(text));
            }
            _ => steps.push(Step::Hear(text)),
        }
        steps
    }

    /// Whether the connection breaks with this stream.
    pub fn depends_on(&self, number: u64) -> bool {
        [&self.current, &self.next].into_iter().flatten().any(|stream| stream.number == number)
    }

    fn open_soon(&mut self) -> Option<Step> {
        self.is_due = true;
        // The one on its way stands first.
        self.next.is_none().then_some(Step::OpenSoon)
    }

    /// Asks beforehand what the server would: one refusal is a refusal of the whole stream.
    fn check(&self, channel: &str) -> Result<(), (Code, String)> {
        let pattern = Pattern::parse(channel).map_err(|error| (Code::InvalidChannelName, error.to_string()))?;
        if pattern.layer() != Layer::View {
            return Err((Code::ForbiddenChannel, "browsers use channels that begin with `view:`".to_owned()));
        }
        if self.wanted.len() >= SUBSCRIPTIONS && !self.wanted.contains_key(channel) {
            return Err((Code::TooManySubscriptions, format!("a stream holds at most {SUBSCRIPTIONS} subscriptions")));
        }
        Ok(())
    }
}

impl Stream {
    /// A channel stands; the answer for the session, if it asked.
    fn answer(&mut self, mut answer: Value) -> Option<String> {
        self.unanswered = self.unanswered.saturating_sub(1);
        let channel = answer["data"]["data"]["channel"].as_str()?;
        let request_id = self.channels.iter_mut().find(|(known, _)| known == channel)?.1.take();
        if request_id.is_null() {
            return None;
        }
        answer["requestId"] = request_id;
        Some(to_text(&answer))
    }
}

/// The answer to a publish that was taken.
pub fn published(receipt: &Receipt, request_id: Value) -> String {
    answer("published", receipt.to_value(), request_id)
}

/// The answer to a request that was refused.
pub fn failure(code: Code, error: &str, request_id: Value) -> String {
    to_text(&object(vec![
        ("success", false.into()),
        ("error", error.into()),
        ("code", code.as_str().into()),
        ("requestId", request_id),
    ]))
}

fn pong(request_id: Value) -> String {
    answer("pong", object(vec![("timestamp", "".into())]), request_id)
}

fn answer(kind: &str, data: Value, request_id: Value) -> String {
    let data = object(vec![("type", kind.into()), ("data", data)]);
    to_text(&object(vec![("success", true.into()), ("data", data), ("requestId", request_id)]))
}

/// The frame, when it says that a subscription stands.
fn subscribed(text: &str) -> Option<Value> {
    // Messages, of which there are more, are not read twice.
    let may_be_it = text.as_bytes().windows(SUBSCRIBED.len()).any(|part| part == SUBSCRIBED);
    let frame: Value = may_be_it.then(|| serde_json::from_str(text).ok())??;
    (frame["data"]["type"] == "subscribed").then_some(frame)
}
