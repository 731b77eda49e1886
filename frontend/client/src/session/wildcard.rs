//! Where the channels below one wildcard stand.

use wire::{BroadcastFrame, Position, Positions, limits::WILDCARD_CHANNELS};

/// Grows with each channel that is heard of; given up when there are too many, so that the wildcard
/// begins anew after a drop and its listeners are told.
#[derive(Debug, Default)]
pub(super) struct Wildcard {
    /// `None` before the first answer, and when a resumption is not possible.
    positions: Option<Positions>,
    /// Up to here, what comes was missed first.
    replay_until: Positions,
}

impl Wildcard {
    /// From where to resume.
    pub(super) fn positions(&self) -> Option<&Positions> {
        self.positions.as_ref()
    }

    /// The server said where the channels stand; with `is_resumed`, that what was missed follows.
    pub(super) fn answered(&mut self, now: Option<&Positions>, is_resumed: bool) {
        if is_resumed {
            self.replay_until = now.cloned().unwrap_or_default();
        } else {
            self.positions = now.cloned();
            self.replay_until.clear();
        }
    }

    /// Whether the message was missed first.
    pub(super) fn is_replay(&self, message: &BroadcastFrame) -> bool {
        let until = self.replay_until.get(&message.channel);
        until
            .zip(message.position.as_ref())
            .is_some_and(|(until, position)| until.epoch == position.epoch && position.offset <= until.offset)
    }

    /// Notes a message; whether it is new.
    pub(super) fn advance(&mut self, message: &BroadcastFrame) -> bool {
        let (Some(positions), Some(position)) = (&mut self.positions, &message.position) else { return true };
        let is_new = positions.get(&message.channel).is_none_or(|seen| is_behind(position, seen));
        if is_new {
            positions.insert(message.channel.clone(), position.clone());
            if positions.len() > WILDCARD_CHANNELS {
                self.positions = None;
            }
        }
        is_new
    }
}

/// Whether a message at `position` comes behind `seen`. One of another log does: the log was begun
/// anew.
pub(super) fn is_behind(position: &Position, seen: &Position) -> bool {
    position.epoch != seen.epoch || position.offset > seen.offset
}
