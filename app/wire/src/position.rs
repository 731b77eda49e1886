//! Where a subscriber stands in a channel's log.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::Channel;

/// A place in a channel's log: everything up to and including `offset` was seen.
///
/// Offsets grow by one with each message while the `epoch` stays; a new epoch means that the log was
/// begun anew and that offsets of the old one say nothing any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Which log.
    pub epoch: Arc<str>,
    /// The last message seen; 0 before the first.
    pub offset: u64,
}

impl Position {
    /// Whether `self` is directly behind `earlier`, so that nothing lies between them.
    pub fn follows(&self, earlier: &Self) -> bool {
        self.epoch == earlier.epoch && self.offset == earlier.offset + 1
    }
}

/// Where a subscriber of a wildcard stands: in the log of each channel it knows of.
pub type Positions = BTreeMap<Channel, Position>;

/// Where a subscription begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Since {
    /// With the next message.
    #[default]
    Now,
    /// With the first message behind this position.
    After(Position),
    /// For a wildcard: in each of these channels with the first message behind its position, and in
    /// channels that were not known then with the first message of all.
    AfterAll(Positions),
}
