//! Writes down what happens while it happens: the history the checker reads afterwards.

use std::{
    cell::{Cell, Ref, RefCell},
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

use client::session::News;
use serde_json::json;
use wire::{BroadcastFrame, Channel, Payload, Position, Receipt as Said};

use super::history::{At, Heard, History, Kill, Listener, Message, Receipt, Run, Tick, What};

/// The history of a run that is under way. All tabs share it; they run on one thread.
pub struct Ledger {
    began: Instant,
    latest: Cell<Tick>,
    history: RefCell<History>,
    /// Index of a message by publisher, channel and number.
    messages: RefCell<HashMap<(u32, usize, u32), usize>>,
    numbers: RefCell<HashMap<(u32, usize), u32>>,
    epochs: RefCell<HashMap<Arc<str>, u32>>,
    logged: RefCell<HashSet<(usize, At)>>,
}

/// Who sends a message, and to whom.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// The tab.
    pub publisher: u32,
    /// Which of its connections.
    pub connection: u32,
    /// At the other end of it.
    pub to: Run,
}

impl Ledger {
    /// An empty one for these channels.
    pub fn new(channels: Vec<String>) -> Self {
        Self {
            began: Instant::now(),
            latest: Cell::new(0),
            history: RefCell::new(History { channels, ..History::default() }),
            messages: RefCell::default(),
            numbers: RefCell::default(),
            epochs: RefCell::default(),
            logged: RefCell::default(),
        }
    }

    /// What was written so far.
    pub fn history(&self) -> Ref<'_, History> {
        self.history.borrow()
    }

    /// Microseconds since the run began.
    pub fn now(&self) -> Tick {
        Tick::try_from(self.began.elapsed().as_micros()).unwrap_or(Tick::MAX)
    }

    /// A moment of its own for the next event.
    pub fn tick(&self) -> Tick {
        self.latest.set(self.now().max(self.latest.get() + 1));
        self.latest.get()
    }

    /// Adds a subscription; its index.
    pub fn listener(&self, tab: u32, pattern: &wire::Pattern) -> usize {
        let mut history = self.history.borrow_mut();
        let matches = |name: &String| name.parse().is_ok_and(|channel| pattern.matches(&channel));
        let channels =
            history.channels.iter().enumerate().filter(|(_, name)| matches(name)).map(|(index, _)| index).collect();
        history.listeners.push(Listener { tab, pattern: pattern.as_str().to_owned(), channels, heard: Vec::new() });
        history.listeners.len() - 1
    }

    /// Notes that a message goes out now; its index and its payload with so many bytes more.
    pub fn sending(&self, sender: Sender, channel: usize, padding: usize) -> (usize, Payload) {
        let Sender { publisher, connection, to } = sender;
        let number = {
            let mut numbers = self.numbers.borrow_mut();
            let number = numbers.entry((publisher, channel)).or_default();
            *number += 1;
            *number
        };
        let sent = self.tick();
        let mut history = self.history.borrow_mut();
        let index = history.messages.len();
        let (id, receipt) = (None, None);
        history.messages.push(Message { publisher, connection, channel, number, sent, taken_by: to, id, receipt });
        self.messages.borrow_mut().insert((publisher, channel, number), index);
        let payload = json!({ "at": sent, "n": number, "p": publisher, "padding": "x".repeat(padding) });
        (index, payload.as_object().cloned().unwrap_or_default())
    }

    /// Notes a receipt.
    pub fn promised(&self, message: usize, receipt: &Said) {
        let place = receipt.position.as_ref().map(|position| self.place(position));
        let mut history = self.history.borrow_mut();
        let message = &mut history.messages[message];
        message.id.get_or_insert_with(|| Arc::clone(&receipt.id));
        message.receipt = Some(place.map_or(Receipt::Fallback, Receipt::Logged));
    }

    /// Notes that a message reached a listener. One nobody sent is not noted: it is somebody else's.
    pub fn delivered(&self, listener: usize, frame: &BroadcastFrame, is_recovered: bool) {
        let Some(message) = self.index_of(&frame.channel, &frame.data) else { return };
        let place = frame.position.as_ref().map(|position| self.place(position));
        let at = self.tick();
        let mut history = self.history.borrow_mut();
        history.messages[message].id.get_or_insert_with(|| Arc::clone(&frame.id));
        let what = What::Message { message, place, is_recovered };
        history.listeners[listener].heard.push(Heard { at, what });
    }

    /// Notes news of a subscription; `channel` is the one that lost something, when that is known.
    pub fn told(&self, listener: usize, news: News, channel: Option<&str>) {
        let at = self.tick();
        let mut history = self.history.borrow_mut();
        let channel = channel.and_then(|name| history.channels.iter().position(|known| known == name));
        let what = match news {
            News::Stands => What::Stands,
            News::Gap => What::Gap(channel),
        };
        history.listeners[listener].heard.push(Heard { at, what });
    }

    /// Notes that an instance was killed.
    pub fn killed(&self, run: Run) {
        let at = self.tick();
        self.history.borrow_mut().kills.push(Kill { run, at });
    }

    /// Notes what the logs held; the same may be noted again.
    pub fn logged(&self, messages: &[wire::Message]) {
        for message in messages {
            let Some(position) = &message.position else { continue };
            let Some(index) = self.index_of(&message.channel, &message.data) else { continue };
            let entry = (index, self.place(position));
            if self.logged.borrow_mut().insert(entry) {
                self.history.borrow_mut().logged.push(entry);
            }
        }
    }

    fn index_of(&self, channel: &Channel, data: &Payload) -> Option<usize> {
        let number = |name: &str| u32::try_from(data.get(name)?.as_u64()?).ok();
        let channel = self.history.borrow().channels.iter().position(|name| name == channel.as_str())?;
        self.messages.borrow().get(&(number("p")?, channel, number("n")?)).copied()
    }

    fn place(&self, position: &Position) -> At {
        let mut epochs = self.epochs.borrow_mut();
        let next = u32::try_from(epochs.len()).unwrap_or(u32::MAX);
        At { epoch: *epochs.entry(Arc::clone(&position.epoch)).or_insert(next), offset: position.offset }
    }
}
