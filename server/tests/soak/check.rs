//! Proves from a history that every subscriber got what was promised, or shows where not.
//!
//! What is demanded of each listener, channel by channel:
//!
//! - *Once.* No message comes twice, by the publisher's own number, whatever its id.
//! - *Log order.* Positioned messages come with growing offsets while the epoch stays; a place in a log
//!   holds the same message for everybody. So any two listeners see two positioned messages in the same
//!   order.
//! - *Publisher's order.* What a publisher said over one connection on one channel has growing numbers in
//!   the log, and growing numbers among what a listener got without a position. Not between the two: while
//!   Redis is away an instance delivers at once what it takes, and that may come to its own listeners
//!   before an older message that is in the log already. Such messages are counted as "ahead of the log".
//! - *No hole.* Between two positioned messages of one log lies nothing that the listener did not get,
//!   unless it was told of a gap between the two. A log goes on in another epoch without a gap only from
//!   where the listener stands: its offsets still grow, and what lies between is of either epoch.
//! - *No loss.* A message with a receipt, sent after the listener stood for the first time, is heard, or a
//!   gap is told after it was sent.
//!
//! Excepted, and counted apart: a message with a `fallback` receipt that was never seen in a log, when the
//! process that took it was killed afterwards: its outbox died with it, and the receipt promised no more.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::history::{At, Heard, History, Listener, Receipt, Tick, What};

/// How a run went.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Messages sent.
    pub published: usize,
    /// Those with a receipt.
    pub receipts: usize,
    /// Those whose receipt said `fallback`.
    pub fallback: usize,
    /// Messages handed to listeners.
    pub delivered: usize,
    /// Those among them that were missed first.
    pub recovered: usize,
    /// Gaps told.
    pub gaps: usize,
    /// Messages that listeners did not get and were told so.
    pub within_gaps: usize,
    /// Messages that listeners did not get because they died with an outbox, each listener counted.
    pub lost_with_instance: usize,
    /// Messages delivered before an older one of the same publisher, during an outage.
    pub ahead_of_log: usize,
    /// Messages with more than one place in one log.
    pub logged_twice: usize,
    /// Broken promises of each kind.
    pub duplicates: usize,
    /// See [`Verdict::duplicates`].
    pub reordered: usize,
    /// See [`Verdict::duplicates`].
    pub losses: usize,
    /// The broken promises themselves, as they were found.
    pub offences: Vec<Offence>,
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Offence {
    /// Which promise.
    pub kind: Kind,
    /// To whom; `None` when the log itself is wrong.
    pub listener: Option<usize>,
    /// Where.
    pub channel: usize,
    /// With what, when it is known.
    pub message: Option<usize>,
    /// The event of the listener that showed it.
    pub index: usize,
    /// In words.
    pub why: String,
}

/// The promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Heard twice.
    Duplicate,
    /// Heard in another order.
    Reorder,
    /// Not heard, and no gap told.
    Loss,
}

/// Offences kept; the others are counted.
const KEPT: usize = 1_000;

/// Judges a run.
pub fn check(history: &History) -> Verdict {
    let mut verdict = Verdict { published: history.messages.len(), ..Verdict::default() };
    for receipt in history.messages.iter().filter_map(|message| message.receipt) {
        verdict.receipts += 1;
        verdict.fallback += usize::from(receipt == Receipt::Fallback);
    }
    let logs = Logs::read(history, &mut verdict);
    for number in 0..history.listeners.len() {
        Subject { history, logs: &logs, number, verdict: &mut verdict }.judge();
    }
    verdict
}

impl Verdict {
    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.duplicates + self.reordered + self.losses == 0
    }

    fn add(&mut self, offence: Offence) {
        match offence.kind {
            Kind::Duplicate => self.duplicates += 1,
            Kind::Reorder => self.reordered += 1,
            Kind::Loss => self.losses += 1,
        }
        if self.offences.len() < KEPT {
            self.offences.push(offence);
        }
    }
}

/// The logs of all channels, by what Redis wrote down, what receipts said, and what listeners were told.
struct Logs {
    places: HashMap<(usize, At), usize>,
    logged: HashSet<usize>,
}

impl Logs {
    fn read(history: &History, verdict: &mut Verdict) -> Self {
        let mut logs = Self { places: HashMap::new(), logged: HashSet::new() };
        let receipts = history.messages.iter().enumerate().filter_map(|(index, message)| match message.receipt {
            Some(Receipt::Logged(place)) => Some((index, place)),
            _ => None,
        });
        let heard =
            history.listeners.iter().flat_map(|listener| &listener.heard).filter_map(|heard| match heard.what {
                What::Message { message, place: Some(place), .. } => Some((message, place)),
                _ => None,
            });
        for (message, place) in receipts.chain(heard).chain(history.logged.iter().copied()) {
            let channel = history.messages[message].channel;
            logs.logged.insert(message);
            let there = *logs.places.entry((channel, place)).or_insert(message);
            if there != message {
                let why = format!("epoch {} offset {} holds two messages", place.epoch, place.offset);
                let (listener, message) = (None, Some(message));
                verdict.add(Offence { kind: Kind::Reorder, listener, channel, message, index: 0, why });
            }
        }
        logs.check_publishers(history, verdict);
        logs
    }

    /// Whether the messages of one connection are in the log as they were sent.
    fn check_publishers(&self, history: &History, verdict: &mut Verdict) {
        let ordered: BTreeMap<_, _> = self.places.iter().collect();
        let mut latest: HashMap<_, u32> = HashMap::new();
        let mut met = HashSet::new();
        for ((channel, place), index) in ordered {
            let message = &history.messages[*index];
            if !met.insert((place.epoch, *index)) {
                verdict.logged_twice += 1;
                continue;
            }
            let publisher = (*channel, place.epoch, message.publisher, message.connection);
            if let Some(before) = latest.insert(publisher, message.number)
                && before > message.number
            {
                let (listener, message) = (None, Some(*index));
                let why = format!("the log has the publisher's number {before} before it");
                verdict.add(Offence { kind: Kind::Reorder, listener, channel: *channel, message, index: 0, why });
            }
        }
    }
}

/// One listener on trial.
struct Subject<'a> {
    history: &'a History,
    logs: &'a Logs,
    number: usize,
    verdict: &'a mut Verdict,
}

/// What a listener knows of one channel.
#[derive(Default)]
struct Known {
    seen: HashSet<usize>,
    /// The highest offset of each log.
    highest: HashMap<u32, u64>,
    /// The last positioned message, unless a gap was told since.
    previous: Option<At>,
    last_gap: Option<Tick>,
    /// The last number of a publisher's connection without a position, and the highest at all.
    unpositioned: HashMap<(u32, u32), u32>,
    newest: HashMap<(u32, u32), u32>,
}

impl Subject<'_> {
    fn judge(mut self) {
        let history = self.history;
        let listener = &history.listeners[self.number];
        let mut known: HashMap<usize, Known> =
            listener.channels.iter().map(|channel| (*channel, Known::default())).collect();
        for (index, heard) in listener.heard.iter().enumerate() {
            match heard.what {
                What::Stands => {}
                What::Gap(of) => {
                    self.verdict.gaps += 1;
                    for (_, known) in known.iter_mut().filter(|(channel, _)| of.is_none_or(|of| of == **channel)) {
                        known.previous = None;
                        known.last_gap = Some(heard.at);
                    }
                }
                What::Message { message, place, is_recovered } => {
                    self.verdict.delivered += 1;
                    self.verdict.recovered += usize::from(is_recovered);
                    let channel = history.messages[message].channel;
                    match known.get_mut(&channel) {
                        Some(known) => self.hear(known, index, message, place),
                        None => self.offend(Kind::Duplicate, message, index, "it did not listen there".into()),
                    }
                }
            }
        }
        self.find_losses(listener, &known);
    }

    fn hear(&mut self, known: &mut Known, index: usize, message: usize, place: Option<At>) {
        if !known.seen.insert(message) {
            return self.offend(Kind::Duplicate, message, index, "it had been heard before".into());
        }
        let sent = &self.history.messages[message];
        let publisher = (sent.publisher, sent.connection);
        let newest = known.newest.entry(publisher).or_insert(sent.number);
        if *newest > sent.number {
            self.verdict.ahead_of_log += 1;
        }
        *newest = sent.number.max(*newest);
        let Some(place) = place else {
            if let Some(before) = known.unpositioned.insert(publisher, sent.number)
                && before > sent.number
            {
                let why = format!("number {before} of the same publisher had come, also without a position");
                self.offend(Kind::Reorder, message, index, why);
            }
            return;
        };
        let highest = known.highest.entry(place.epoch).or_insert(place.offset);
        if *highest > place.offset {
            let why = format!("offset {} came behind offset {highest}", place.offset);
            *highest = place.offset.max(*highest);
            return self.offend(Kind::Reorder, message, index, why);
        }
        *highest = place.offset;
        match known.previous.replace(place) {
            Some(previous) if previous.epoch != place.epoch && previous.offset >= place.offset => {
                let why = format!(
                    "the log went back from epoch {} offset {} to epoch {} without a gap",
                    previous.epoch, previous.offset, place.epoch
                );
                self.offend(Kind::Loss, message, index, why);
            }
            Some(previous) => self.find_hole(known, sent.channel, previous, place, index),
            None => {}
        }
    }

    /// What lies between two messages must have come before, without a position.
    fn find_hole(&mut self, known: &Known, channel: usize, previous: At, place: At, index: usize) {
        let of = |epoch, offset| self.logs.places.get(&(channel, At { epoch, offset })).copied();
        // Where nobody heard it in this epoch, it may have been heard in one that this one goes on from.
        let is_left_out = |offset: &u64| match of(place.epoch, *offset) {
            Some(message) => !known.seen.contains(&message),
            None => !(0..place.epoch).filter_map(|epoch| of(epoch, *offset)).any(|heard| known.seen.contains(&heard)),
        };
        let left_out: Vec<u64> = (previous.offset + 1..place.offset).filter(is_left_out).collect();
        let Some(first) = left_out.first() else { return };
        let why = format!(
            "{} messages from offset {first} were left out between {} and {} of epoch {}, and no gap told",
            left_out.len(),
            previous.offset,
            place.offset,
            place.epoch
        );
        let (listener, message) = (Some(self.number), of(place.epoch, *first));
        self.verdict.add(Offence { kind: Kind::Loss, listener, channel, message, index, why });
    }

    fn find_losses(&mut self, listener: &Listener, known: &HashMap<usize, Known>) {
        let Some(stands) = listener.heard.first().map(|heard| heard.at) else { return };
        for (index, message) in self.history.messages.iter().enumerate() {
            let Some(known) = known.get(&message.channel) else { continue };
            let Some(receipt) = message.receipt.filter(|_| message.sent > stands && !known.seen.contains(&index))
            else {
                continue;
            };
            let is_killed = || {
                let kills = &self.history.kills;
                kills.iter().any(|kill| kill.run == message.taken_by && kill.at > message.sent)
            };
            if known.last_gap.is_some_and(|gap| gap >= message.sent) {
                self.verdict.within_gaps += 1;
            } else if receipt == Receipt::Fallback && !self.logs.logged.contains(&index) && is_killed() {
                self.verdict.lost_with_instance += 1;
            } else {
                let around = listener.heard.partition_point(|heard: &Heard| heard.at < message.sent);
                let last = listener.heard.len().saturating_sub(1);
                let why = format!("receipt {receipt:?}, never heard, and no gap told after it was sent");
                self.offend(Kind::Loss, index, around.min(last), why);
            }
        }
    }

    fn offend(&mut self, kind: Kind, message: usize, index: usize, why: String) {
        let channel = self.history.messages[message].channel;
        let listener = Some(self.number);
        self.verdict.add(Offence { kind, listener, channel, message: Some(message), index, why });
    }
}
