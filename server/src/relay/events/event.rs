//! Frames as events, and the bytes that go out.

use std::{collections::HashMap, fmt::Write, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use wire::{Channel, Message, Pattern, Position};

use super::{
    super::{frames, queue::Item},
    Positions,
};
use crate::{
    hub::{Batch, Delivery},
    socket::texts,
};

/// One frame that waits for its browser, with what it says of a position.
pub(super) struct Event {
    /// The frame's JSON; a message's is shared with the sockets.
    json: Bytes,
    tells: Tells,
}

/// What an event has to do with positions.
enum Tells {
    /// Nothing.
    News,
    /// It is this message.
    Message(Arc<Message>),
    /// Everything up to the end of the channel's log is lost.
    Gap { channel: Channel, end: Option<Position> },
}

impl Event {
    fn new(frame: &Bytes, tells: Tells) -> Self {
        // Every frame of ours holds one text.
        Self { json: texts(frame).next().unwrap_or_default(), tells }
    }
}

impl Item for Event {
    fn news(frame: Bytes) -> Self {
        Self::new(&frame, Tells::News)
    }

    fn gap(frame: Bytes, channel: &Channel, position: Option<&Position>) -> Self {
        Self::new(&frame, Tells::Gap { channel: channel.clone(), end: position.cloned() })
    }

    fn message(delivery: &Arc<Delivery>) -> Self {
        Self::new(delivery.encoded(frames::broadcast), Tells::Message(Arc::clone(&delivery.message)))
    }

    fn messages(batch: &Batch, mut append: impl FnMut(Self, usize)) {
        for (json, delivery) in texts(batch.encoded(frames::broadcasts)).zip(batch.deliveries()) {
            append(Self { json, tells: Tells::Message(Arc::clone(&delivery.message)) }, 1);
        }
    }

    fn size_bytes(&self) -> usize {
        self.json.len()
    }
}

/// Writes the events of one stream and keeps account of where it stands.
///
/// Source: HTML Living Standard, section "Server-sent events".
pub(super) struct Writer {
    places: HashMap<Channel, usize>,
    positions: Positions,
    bytes: BytesMut,
}

impl Writer {
    pub(super) fn new(patterns: &[Pattern], positions: Positions) -> Self {
        let places = patterns.iter().enumerate().filter_map(|(place, pattern)| Some((pattern.as_channel()?, place)));
        Self { places: places.collect(), positions, bytes: BytesMut::new() }
    }

    /// Where the stream stands.
    pub(super) fn positions(&mut self) -> &mut Positions {
        &mut self.positions
    }

    /// How long the browser is to wait before it comes back, once this stream has ended.
    pub(super) fn retry(&mut self, pause: Duration) {
        // Here and below: a buffer that grows takes everything.
        let _ = writeln!(self.bytes, "retry: {}", pause.as_millis());
    }

    pub(super) fn event(&mut self, event: &Event) {
        match &event.tells {
            Tells::News => {}
            Tells::Message(message) => {
                if let (Some(place), Some(position)) = (self.places.get(&message.channel), &message.position) {
                    self.positions.advance(*place, position);
                }
            }
            Tells::Gap { channel, end } => {
                if let Some(place) = self.places.get(channel) {
                    self.positions.lose(*place, end.as_ref());
                }
            }
        }
        let _ = write!(self.bytes, "id: {}\ndata: ", self.positions);
        self.bytes.extend_from_slice(&event.json);
        self.bytes.extend_from_slice(b"\n\n");
    }

    /// Something that is no event: keeps the connection from seeming idle.
    pub(super) fn heartbeat(&mut self) {
        self.bytes.extend_from_slice(b":\n\n");
    }

    /// Bytes that wait to go out.
    pub(super) fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Gives what was written.
    pub(super) fn take(&mut self) -> Bytes {
        self.bytes.split().freeze()
    }
}
