//! The motto of the day: one configuration value that anybody may change, to watch configuration travel
//! through its levels and over the instances.

use serde::{Deserialize, Serialize};

use crate::{channel, cluster::TypedChannel};

/// Where open pages hear that there is another motto. They read it from their own instance: what is told here
/// is no more than that.
pub const CHANGED: TypedChannel<MottoNews> = channel!("view:system:motto:changed");
/// Where open pages hear when each instance had it.
pub const REACHED: TypedChannel<MottoReach> = channel!("view:system:motto:reached");

/// A motto: one line of 1 to [`Motto::MAX_CHARS`] characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Motto(String);

impl Motto {
    /// Characters of a motto at most.
    pub const MAX_CHARS: usize = 80;

    /// The line without the spaces around it; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_line = (1..=Self::MAX_CHARS).contains(&text.chars().count()) && !text.contains(char::is_control);
        is_line.then(|| Self(text.to_owned()))
    }

    /// The line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a configuration value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CacheLevel {
    /// The memory of the instance that was asked.
    Memory,
    /// Redis, which all instances share.
    Redis,
    /// The store.
    Store,
    /// Memory, past its time, because neither Redis nor the store answers.
    LastKnown,
}

impl CacheLevel {
    /// As people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "Memory",
            Self::Redis => "Redis",
            Self::Store => "Store",
            Self::LastKnown => "Last known",
        }
    }
}

/// The motto as one read found it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MottoReading {
    /// The line; empty when nobody ever wrote one.
    pub text: String,
    /// One more with each change; 0 when nobody ever wrote one.
    pub version: u64,
    /// When it was written, RFC 3339; empty when nobody ever wrote one.
    pub changed_at: String,
    /// Who answered.
    pub instance_id: String,
    /// Out of which level; `None` when there is a newer version that was not read yet.
    pub level: Option<CacheLevel>,
}

impl MottoReading {
    /// Hears of a version; a newer one is to be read.
    pub fn hear(&mut self, news: &MottoNews) {
        if news.version > self.version {
            self.level = None;
        }
    }
}

/// There is another motto.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MottoNews {
    /// Of the one there is now.
    pub version: u64,
}

/// When each instance had a version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MottoReach {
    /// Of which.
    pub version: u64,
    /// In the order of their answers.
    pub instances: Vec<Reached>,
    /// Instances that did not answer within a second.
    pub silent: Vec<String>,
}

/// One instance that has a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reached {
    /// Which.
    pub instance_id: String,
    /// Out of which level it read it first.
    pub level: CacheLevel,
    /// Milliseconds from before it was written until its answer was heard where it was written.
    pub after_ms: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_motto_is_one_short_line() {
        assert_eq!(Motto::parse("  Less, but better ").map(|motto| motto.0), Some("Less, but better".to_owned()));
        assert!(Motto::parse(&"ü".repeat(80)).is_some());
        for text in ["", "  ", "two\nlines", &"ü".repeat(81)] {
            assert_eq!(Motto::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_a_newer_version_is_read_again() {
        let mut reading = MottoReading { version: 3, level: Some(CacheLevel::Memory), ..MottoReading::default() };
        reading.hear(&MottoNews { version: 3 });
        assert_eq!(reading.level, Some(CacheLevel::Memory));
        reading.hear(&MottoNews { version: 4 });
        assert_eq!(reading.level, None);
    }
}
