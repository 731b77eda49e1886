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
    hub::{Delivery, Listener},
    socket::text_frame,
};

/// Frames for which room is kept once they are written; a burst's room is given back.
const ROOM_KEPT: usize = 32;

/// The frames of one socket, within bounds. When a bound is passed everything that waits is dropped
/// and the socket is to be closed with 4408: it resumes from its position, or learns of a gap.
pub(super) struct Queue {
    state: Mutex<State>,
    waker: AtomicWaker,
    frames_max: usize,
    bytes_max: usize,
}

#[derive(Default)]
struct State {
    frames: Vec<Bytes>,
    bytes: usize,
    /// The last delivery taken: a second subscription that matches brings it again.
    last_sequence: u64,
    has_overflown: bool,
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
        self.append(&mut state, frame);
        drop(state);
        if must_wake {
            self.waker.wake();
        }
    }

    /// Waits until something is there, then moves all of it into `frames`, which must be empty.
    /// `Err` when a bound was passed. Cancel safe.
    pub(super) async fn take(&self, frames: &mut Vec<Bytes>) -> Result<(), Overflow> {
        std::future::poll_fn(|context| {
            self.waker.register(context.waker());
            let mut state = self.state();
            if state.has_overflown {
                return Poll::Ready(Err(Overflow));
            }
            if state.frames.is_empty() {
                return Poll::Pending;
            }
            state.bytes = 0;
            std::mem::swap(&mut state.frames, frames);
            if state.frames.capacity() > ROOM_KEPT {
                state.frames = Vec::new();
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Waits until a bound is passed.
    pub(super) async fn overflown(&self) {
        std::future::poll_fn(|context| {
            self.waker.register(context.waker());
            if self.state().has_overflown { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn append(&self, state: &mut State, frame: Bytes) {
        if state.has_overflown {
            return;
        }
        state.bytes += frame.len();
        state.frames.push(frame);
        if state.frames.len() > self.frames_max || state.bytes > self.bytes_max {
            state.has_overflown = true;
            state.frames = Vec::new();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Queue {
    fn deliver(&self, deliveries: &[Arc<Delivery>]) {
        let mut state = self.state();
        let must_wake = state.frames.is_empty();
        for delivery in deliveries {
            if delivery.sequence > state.last_sequence {
                state.last_sequence = delivery.sequence;
                self.append(&mut state, delivery.encoded(frames::broadcast).clone());
            }
        }
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

/// The socket read too slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overflow;
