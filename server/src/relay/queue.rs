//! What waits to be written to one socket.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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

/// Frames for which room is kept once they are written; a burst's room is given back.
const ROOM_KEPT: usize = 32;
/// Empty places of needless frames that may gather before they are removed.
const NEEDLESS_KEPT: usize = 64;

/// The frames of one socket, within bounds. When a bound is passed everything that waits is dropped
/// and the socket is to be closed with 4408: it resumes from its position, or learns of a gap.
///
/// The instance's stop comes this way too, so that a socket waits for one thing only.
pub(super) struct Queue {
    state: Mutex<State>,
    waker: AtomicWaker,
    frames_max: usize,
    bytes_max: usize,
}

#[derive(Default)]
struct State {
    /// Whole frames, one or several in each.
    frames: Vec<Bytes>,
    /// Where the waiting frame of a topic is.
    latest: HashMap<Arc<str>, usize>,
    /// Frames that are empty because a later one of their topic came.
    needless: usize,
    count: usize,
    bytes: usize,
    /// The last delivery taken: a second subscription that matches brings it again.
    last_sequence: u64,
    end: Option<QueueEnd>,
}

/// Why a queue takes nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QueueEnd {
    /// The socket read too slowly.
    Overflow,
    /// The instance stops.
    Drain,
}

impl Queue {
    pub(super) fn new(limits: &LimitsConfig) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            waker: AtomicWaker::new(),
            frames_max: limits.queue_messages,
            bytes_max: limits.queue_bytes,
        })
    }

    /// Appends one frame.
    pub(super) fn push(&self, frame: Bytes) {
        let mut state = self.state();
        let must_wake = state.frames.is_empty();
        self.append(&mut state, frame, 1);
        drop(state);
        if must_wake {
            self.waker.wake();
        }
    }

    /// Appends a last frame; whoever takes learns that it is the last.
    pub(super) fn drain(&self, last: Bytes) {
        let mut state = self.state();
        self.append(&mut state, last, 1);
        state.end.get_or_insert(QueueEnd::Drain);
        drop(state);
        self.waker.wake();
    }

    /// Waits until something is there, then moves all of it into `frames`, which must be empty.
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// When the queue has ended; with [`QueueEnd::Drain`] the last frames are there nevertheless.
    pub(super) async fn take(&self, frames: &mut Vec<Bytes>) -> Result<(), QueueEnd> {
        std::future::poll_fn(|context| {
            self.waker.register(context.waker());
            let mut state = self.state();
            if state.frames.is_empty() && state.end.is_none() {
                return Poll::Pending;
            }
            (state.bytes, state.count) = (0, 0);
            state.tidy();
            state.latest.clear();
            std::mem::swap(&mut state.frames, frames);
            if state.frames.capacity() > ROOM_KEPT {
                state.frames = Vec::new();
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

    /// Appends the frame of a delivery, which replaces one of its topic that still waits.
    fn append_one(&self, state: &mut State, delivery: &Delivery) {
        let frame = delivery.encoded(frames::broadcast).clone();
        if let Some(topic) = &delivery.topic
            && state.end.is_none()
        {
            let place = state.frames.len();
            if let Some(before) = state.latest.insert(Arc::clone(topic), place) {
                let needless = std::mem::take(&mut state.frames[before]);
                state.bytes -= needless.len();
                state.count -= 1;
                state.needless += 1;
            }
        }
        self.append(state, frame, 1);
        if state.needless > NEEDLESS_KEPT && state.needless * 2 > state.frames.len() {
            state.tidy();
        }
    }

    fn append(&self, state: &mut State, frames: Bytes, count: usize) {
        if state.end.is_some() {
            return;
        }
        state.bytes += frames.len();
        state.count += count;
        state.frames.push(frames);
        if state.count > self.frames_max || state.bytes > self.bytes_max {
            state.end = Some(QueueEnd::Overflow);
            (state.frames, state.latest, state.needless) = Default::default();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Removes frames that became needless.
    fn tidy(&mut self) {
        if self.needless == 0 {
            return;
        }
        let mut kept = 0;
        let places: Vec<usize> = self
            .frames
            .iter()
            .map(|frame| {
                kept += usize::from(!frame.is_empty());
                kept.saturating_sub(1)
            })
            .collect();
        self.latest.values_mut().for_each(|place| *place = places[*place]);
        self.frames.retain(|frame| !frame.is_empty());
        self.needless = 0;
    }
}

impl Listener for Queue {
    fn deliver(&self, batch: &Batch) {
        let (Some(first), Some(last)) = (batch.deliveries().first(), batch.deliveries().last()) else { return };
        let mut state = self.state();
        let must_wake = state.frames.is_empty();
        if first.sequence > state.last_sequence && !batch.has_topics() {
            let frames = batch.encoded(frames::broadcasts).clone();
            self.append(&mut state, frames, batch.deliveries().len());
        } else {
            for delivery in batch.deliveries() {
                if delivery.sequence > state.last_sequence {
                    self.append_one(&mut state, delivery);
                }
            }
        }
        state.last_sequence = state.last_sequence.max(last.sequence);
        drop(state);
        if must_wake {
            self.waker.wake();
        }
    }

    fn lost(&self, channel: &Channel, _position: Option<&Position>) {
        let gap = Frame::news(ServerFrame::Gap { data: GapFrame { channel: channel.clone() } });
        self.push(text_frame(&gap.to_json()));
    }
}
