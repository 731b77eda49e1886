//! What happens on one endpoint of this instance, counted. Data only; times are milliseconds since 1970.

use std::collections::{BTreeMap, VecDeque};

pub use app::websocket::{Happening, Loss};
use serde::{Deserialize, Serialize};

/// Seconds a message counts for "messages a minute".
const MINUTE: u64 = 60;
/// What the log of an endpoint keeps; the oldest falls out.
const ACTIVITY: usize = 30;

/// The numbers of one endpoint.
#[derive(Debug, Default)]
pub struct Tally {
    messages: u64,
    /// Messages by second, the latest minute.
    seconds: VecDeque<(u64, u64)>,
    dropped: BTreeMap<Loss, u64>,
    last_activity: u64,
    activity: VecDeque<Activity>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// When.
    pub at: u64,
    /// What.
    pub what: Happening,
    /// To whom; empty for a guest.
    #[serde(default)]
    pub username: String,
}

/// The numbers of one endpoint at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Messages of browsers and of the server.
    pub messages: u64,
    /// The same in the latest minute.
    pub messages_per_minute: u64,
    /// Messages that went nowhere, by cause.
    pub dropped: BTreeMap<Loss, u64>,
    /// When somebody last came or said something; 0 for never.
    pub last_activity: u64,
}

impl Tally {
    /// A message was taken.
    pub fn message(&mut self, now: u64) {
        self.messages += 1;
        self.last_activity = now;
        let second = now / 1_000;
        if self.seconds.back().is_some_and(|(latest, _)| *latest > second) {
            // The clock was stepped back: what was counted by the later time belongs to no minute.
            self.seconds.clear();
        }
        match self.seconds.back_mut() {
            Some((latest, count)) if *latest == second => *count += 1,
            _ => self.seconds.push_back((second, 1)),
        }
        self.forget(second);
    }

    /// A message went nowhere.
    pub fn dropped(&mut self, why: Loss) {
        *self.dropped.entry(why).or_default() += 1;
    }

    /// Something happened to a socket.
    pub fn note(&mut self, activity: Activity) {
        self.last_activity = activity.at;
        if self.activity.len() == ACTIVITY {
            self.activity.pop_front();
        }
        self.activity.push_back(activity);
    }

    /// The numbers now.
    pub fn counts(&mut self, now: u64) -> Counts {
        self.forget(now / 1_000);
        Counts {
            messages: self.messages,
            messages_per_minute: self.seconds.iter().map(|(_, count)| count).sum(),
            dropped: self.dropped.clone(),
            last_activity: self.last_activity,
        }
    }

    /// What happened lately, oldest first.
    pub fn activity(&self) -> Vec<Activity> {
        self.activity.iter().cloned().collect()
    }

    fn forget(&mut self, second: u64) {
        while self.seconds.front().is_some_and(|(old, _)| old + MINUTE <= second || *old > second) {
            self.seconds.pop_front();
        }
    }
}

impl Counts {
    /// With those of another instance.
    pub fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.messages_per_minute += other.messages_per_minute;
        for (why, count) in &other.dropped {
            *self.dropped.entry(*why).or_default() += count;
        }
        self.last_activity = self.last_activity.max(other.last_activity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_sixty_seconds() {
        let (mut tally, start) = (Tally::default(), 1_000_000);
        for second in 0..120 {
            tally.message(start + second * 1_000);
        }
        let end = start + 119_000;
        let counts = tally.counts(end);
        assert_eq!((counts.messages, counts.messages_per_minute, counts.last_activity), (120, 60, end));
        assert_eq!(tally.counts(end + 59_999).messages_per_minute, 1);
        assert_eq!(tally.counts(end + 60_000).messages_per_minute, 0);
    }

    #[test]
    fn a_minute_is_a_minute_when_the_clock_was_stepped_back() {
        let (mut tally, start) = (Tally::default(), 1_000_000);
        for second in 0..120 {
            tally.message(start + second * 1_000);
        }
        let earlier = start - 180_000;
        assert_eq!(tally.counts(earlier).messages_per_minute, 0);
        for second in 0..120 {
            tally.message(earlier + second * 1_000);
        }
        assert_eq!(tally.counts(earlier + 119_000).messages_per_minute, 60);
    }

    #[test]
    fn the_log_of_an_endpoint_is_bounded() {
        let mut tally = Tally::default();
        for at in 0..100 {
            tally.note(Activity { at, what: Happening::Connected, username: String::new() });
        }
        let kept = tally.activity();
        assert_eq!((kept.len(), kept[0].at), (ACTIVITY, 70));
    }
}
