//! What waits to be written to one socket.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use wire::{Channel, Frame, GapFrame, Position, ServerFrame};

use super::frames;
use crate::{
    config::LimitsConfig,
    hub::{Batch, Listener},
    socket::text_frame,
};

/// Frames for which room is kept once they are written; a burst's room is given back.
const ROOM_KEPT: usize = 32;

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

    fn append(&self, state: &mut State, frames: Bytes, count: usize) {
        if state.end.is_some() {
            return;
        }
        state.bytes += frames.len();
        state.count += count;
        state.frames.push(frames);
        if state.count > self.frames_max || state.bytes > self.bytes_max {
            state.end = Some(QueueEnd::Overflow);
            state.frames = Vec::new();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Queue {
    fn deliver(&self, batch: &Batch) {
        let (Some(first), Some(last)) = (batch.deliveries().first(), batch.deliveries().last()) else { return };
        let mut state = self.state();
        let must_wake = state.frames.is_empty();
        if first.sequence > state.last_sequence {
            let frames = batch.encoded(frames::broadcasts).clone();
            self.append(&mut state, frames, batch.deliveries().len());
        } else {
            for delivery in batch.deliveries() {
                if delivery.sequence > state.last_sequence {
                    self.append(&mut state, delivery.encoded(frames::broadcast).clone(), 1);
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
