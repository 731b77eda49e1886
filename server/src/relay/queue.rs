//! What waits to be written to one browser.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use wire::{Channel, Frame, GapFrame, Position, ServerFrame};

use super::frames;
use crate::{
    config::LimitsConfig,
    hub::{Batch, Delivery, Listener},
    socket::text_frame,
};

/// Items for which room is kept once they are written; a burst's room is given back.
const ROOM_KEPT: usize = 32;
/// Needless items that may gather before they are removed.
const NEEDLESS_KEPT: usize = 64;

/// The frames of one browser, within bounds. When a bound is passed everything that waits is dropped
/// and the connection is to be closed: the browser resumes from its position, or learns of a gap. A message that no
/// queue could hold costs nobody a connection: the browser learns of a gap instead.
///
/// The instance's stop and a session's end come this way too, so that a connection waits for one thing only.
pub struct Queue<T> {
    state: Mutex<State<T>>,
    waker: AtomicWaker,
    frames_max: usize,
    bytes_max: usize,
    /// Counts messages that no queue can hold, of all queues.
    too_large: Arc<AtomicU64>,
}

struct State<T> {
    items: Vec<T>,
    /// Where the waiting message of a topic is.
    latest: HashMap<Arc<str>, usize>,
    /// Where messages are that a later one of their topic made needless.
    needless: HashSet<usize>,
    /// Frames in all items.
    count: usize,
    bytes: usize,
    /// The last delivery taken: a second subscription that matches brings it again.
    last_sequence: u64,
    end: Option<QueueEnd>,
}

/// Why a queue takes nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueEnd {
    /// The browser read too slowly.
    Overflow,
    /// The instance stops.
    Drain,
    /// The session behind the socket is over.
    SessionOver,
    /// The browser may not be here any more.
    Forbidden,
}

/// One or several frames as they wait: a socket's bytes, or the events of a stream.
pub trait Item: Send + Sized + 'static {
    /// A frame that tells something other than a message.
    fn news(frame: Bytes) -> Self;
    /// The frame that tells of a loss; the channel's log ends at `position`.
    fn gap(frame: Bytes, channel: &Channel, position: Option<&Position>) -> Self;
    /// One message.
    fn message(delivery: &Arc<Delivery>) -> Self;
    /// Messages handed on together, in as few items as may be, each with its number of messages.
    fn messages(batch: &Batch, append: impl FnMut(Self, usize));
    /// How much of the queue's bytes it takes.
    fn size_bytes(&self) -> usize;
}

impl Item for Bytes {
    fn news(frame: Bytes) -> Self {
        frame
    }

    fn gap(frame: Bytes, _channel: &Channel, _position: Option<&Position>) -> Self {
        frame
    }

    fn message(delivery: &Arc<Delivery>) -> Self {
        delivery.encoded(frames::broadcast).clone()
    }

    fn messages(batch: &Batch, mut append: impl FnMut(Self, usize)) {
        append(batch.encoded(frames::broadcasts).clone(), batch.deliveries().len());
    }

    fn size_bytes(&self) -> usize {
        self.len()
    }
}

/// A queue as the relay sees it, whatever it holds.
pub trait Outlet: Send + Sync {
    /// Appends one frame.
    fn tell(&self, frame: Bytes);
    /// Appends a last frame; whoever takes learns that it is the last, and why. Does nothing the second time.
    fn finish(&self, last: Bytes, end: QueueEnd);
}

impl<T: Item> Queue<T> {
    pub(super) fn new(limits: &LimitsConfig, too_large: &Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State::new()),
            waker: AtomicWaker::new(),
            frames_max: limits.queue_messages,
            bytes_max: limits.queue_bytes,
            too_large: Arc::clone(too_large),
        })
    }

    /// Appends one frame.
    pub fn push(&self, item: T) {
        let mut state = self.state();
        let must_wake = state.items.is_empty();
        self.append(&mut state, item, 1);
        let must_wake = must_wake || state.end.is_some();
        drop(state);
        if must_wake {
            self.waker.wake();
        }
    }

    /// Whether an empty queue could hold so many bytes.
    pub fn holds(&self, size_bytes: usize) -> bool {
        size_bytes <= self.bytes_max
    }

    /// Waits until something is there, then moves all of it into `items`, which must be empty.
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// When the queue has ended; unless it overflowed the last frames are there nevertheless.
    pub(super) async fn take(&self, items: &mut Vec<T>) -> Result<(), QueueEnd> {
        std::future::poll_fn(|context| {
            self.waker.register(context.waker());
            let mut state = self.state();
            if state.items.is_empty() && state.end.is_none() {
                return Poll::Pending;
            }
            (state.bytes, state.count) = (0, 0);
            state.tidy();
            state.latest.clear();
            std::mem::swap(&mut state.items, items);
            if state.items.capacity() > ROOM_KEPT {
                state.items = Vec::new();
            }
            Poll::Ready(state.end.map_or(Ok(()), Err))
        })
        .await
    }

    /// Waits until a bound is passed.
    pub(super) async fn overflown(&self) {
        std::future::poll_fn(|context| {
            self.waker.register(context.waker());
            if self.state().end == Some(QueueEnd::Overflow) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Appends one message, in place of one of its topic that still waits.
    fn append_one(&self, state: &mut State<T>, delivery: &Arc<Delivery>) {
        let item = T::message(delivery);
        if !self.holds(item.size_bytes()) {
            return self.append_gap(state, delivery);
        }
        if let Some(topic) = &delivery.topic
            && state.end.is_none()
        {
            let place = state.items.len();
            if let Some(before) = state.latest.insert(Arc::clone(topic), place) {
                state.bytes -= state.items[before].size_bytes();
                state.count -= 1;
                state.needless.insert(before);
            }
        }
        self.append(state, item, 1);
        if state.needless.len() > NEEDLESS_KEPT && state.needless.len() * 2 > state.items.len() {
            state.tidy();
        }
    }

    /// Appends a gap in place of a message that is too large.
    fn append_gap(&self, state: &mut State<T>, delivery: &Arc<Delivery>) {
        let message = &delivery.message;
        if delivery.is_first_refusal() {
            self.too_large.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(channel = %message.channel, limit = self.bytes_max, "a message is too large for any browser");
        }
        let gap = gap_frame(&message.channel);
        // One without a position moves nobody.
        let item = match &message.position {
            Some(position) => T::gap(gap, &message.channel, Some(position)),
            None => T::news(gap),
        };
        self.append(state, item, 1);
    }

    fn append(&self, state: &mut State<T>, item: T, count: usize) {
        if state.end.is_some() {
            return;
        }
        state.bytes += item.size_bytes();
        state.count += count;
        state.items.push(item);
        if state.count > self.frames_max || state.bytes > self.bytes_max {
            *state = State { end: Some(QueueEnd::Overflow), ..State::new() };
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn new() -> Self {
        let (latest, needless) = (HashMap::new(), HashSet::new());
        Self { items: Vec::new(), latest, needless, count: 0, bytes: 0, last_sequence: 0, end: None }
    }

    /// Removes what became needless.
    fn tidy(&mut self) {
        if self.needless.is_empty() {
            return;
        }
        let needless = std::mem::take(&mut self.needless);
        let mut place = 0;
        self.items.retain(|_| {
            place += 1;
            !needless.contains(&(place - 1))
        });
        let mut before: Vec<usize> = needless.into_iter().collect();
        before.sort_unstable();
        self.latest.values_mut().for_each(|place| *place -= before.partition_point(|gone| gone < place));
    }
}

impl<T: Item> Outlet for Queue<T> {
    fn tell(&self, frame: Bytes) {
        self.push(T::news(frame));
    }

    fn finish(&self, last: Bytes, end: QueueEnd) {
        let mut state = self.state();
        self.append(&mut state, T::news(last), 1);
        state.end.get_or_insert(end);
        drop(state);
        self.waker.wake();
    }
}

impl<T: Item> Listener for Queue<T> {
    fn deliver(&self, batch: &Batch) {
        let (Some(first), Some(last)) = (batch.deliveries().first(), batch.deliveries().last()) else { return };
        let mut state = self.state();
        let must_wake = state.items.is_empty();
        let is_whole = || first.sequence > state.last_sequence && !batch.has_topics();
        if is_whole() && self.holds(batch.encoded(frames::broadcasts).len()) {
            T::messages(batch, |item, count| self.append(&mut state, item, count));
        } else {
            for delivery in batch.deliveries() {
                if delivery.sequence > state.last_sequence {
                    self.append_one(&mut state, delivery);
                }
            }
        }
        state.last_sequence = state.last_sequence.max(last.sequence);
        let must_wake = must_wake || state.end.is_some();
        drop(state);
        if must_wake {
            self.waker.wake();
        }
    }

    fn lost(&self, channel: &Channel, position: Option<&Position>) {
        self.push(T::gap(gap_frame(channel), channel, position));
    }
}

fn gap_frame(channel: &Channel) -> Bytes {
    text_frame(&Frame::news(ServerFrame::Gap { data: GapFrame { channel: channel.clone() } }).to_json())
}
