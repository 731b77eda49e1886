//! Where an event stream stands, as the id of an event says it.

use std::{collections::HashSet, fmt};

use wire::{Pattern, Position, Since};

/// Bytes of an epoch at most; ours have 32.
const EPOCH_BYTES: usize = 64;
/// Stands for a channel without a position: a wildcard, or no log could be reached.
const NONE: &str = "-";

/// The positions of a stream's channels, in the order of its address.
///
/// Written, one `epoch:offset` or `-` for each, with commas between them: the `id` of an event. It says
/// that everything up to there has gone out, so that a browser may repeat it to any instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Positions(Vec<Option<Position>>);

impl Positions {
    /// No positions of so many channels.
    pub fn unknown(channels: usize) -> Self {
        Self(vec![None; channels])
    }

    /// Reads an id; `None` when it is none of a stream of so many channels.
    pub fn of_id(id: &str, channels: usize) -> Option<Self> {
        (id.split(',').count() == channels).then(|| Self::parse(id.split(','), channels)).flatten()
    }

    /// Reads the positions of so many channels; those behind the last text have none. `None` when a
    /// text is no position, or when there are more texts than channels.
    pub fn parse<'a>(texts: impl Iterator<Item = &'a str>, channels: usize) -> Option<Self> {
        let mut positions = Vec::new();
        for text in texts {
            if positions.len() == channels {
                return None;
            }
            positions.push(if text.is_empty() || text == NONE { None } else { Some(parse(text)?) });
        }
        positions.resize(channels, None);
        Some(Self(positions))
    }

    /// The channels without repetitions, each with the position of its first mention.
    pub fn of_distinct(self, patterns: Vec<Pattern>) -> (Vec<Pattern>, Self) {
        let mut seen = HashSet::new();
        let pairs = patterns.into_iter().zip(self.0).filter(|(pattern, _)| seen.insert(pattern.clone()));
        let (patterns, positions) = pairs.unzip();
        (patterns, Self(positions))
    }

    /// Where a channel is to begin.
    pub fn since(&self, place: usize) -> Since {
        self.0.get(place).cloned().flatten().map_or(Since::Now, Since::After)
    }

    /// A channel begins anew here.
    pub(super) fn stand(&mut self, place: usize, position: Option<Position>) {
        if let Some(stands) = self.0.get_mut(place) {
            *stands = position;
        }
    }

    /// A message went out; one that was seen before does not lead back.
    pub(super) fn advance(&mut self, place: usize, position: &Position) {
        if let Some(stands) = self.0.get_mut(place)
            && stands.as_ref().is_none_or(|now| now.epoch != position.epoch || now.offset < position.offset)
        {
            *stands = Some(position.clone());
        }
    }

    /// The loss of everything up to the end of the log went out. Of a log that was begun anew nothing
    /// has been seen: all of it follows.
    pub(super) fn lose(&mut self, place: usize, end: Option<&Position>) {
        if let Some(stands) = self.0.get_mut(place) {
            let is_new_log = |end: &&Position| stands.as_ref().is_some_and(|now| now.epoch != end.epoch);
            let begin = end.filter(is_new_log).map(|end| Position { epoch: end.epoch.clone(), offset: 0 });
            *stands = begin.or_else(|| end.cloned());
        }
    }
}

impl fmt::Display for Positions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, position) in self.0.iter().enumerate() {
            if place > 0 {
                formatter.write_str(",")?;
            }
            match position {
                Some(Position { epoch, offset }) => write!(formatter, "{epoch}:{offset}")?,
                None => formatter.write_str(NONE)?,
            }
        }
        Ok(())
    }
}

fn parse(text: &str) -> Option<Position> {
    let (epoch, offset) = text.rsplit_once(':')?;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    let is_epoch = (1..=EPOCH_BYTES).contains(&epoch.len()) && epoch.bytes().all(is_allowed);
    is_epoch.then_some(Position { epoch: epoch.into(), offset: offset.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: &str, offset: u64) -> Position {
        Position { epoch: epoch.into(), offset }
    }

    #[test]
    fn an_id_is_read_as_it_was_written() {
        for id in ["e:0", "-", "e:7,-,f:18446744073709551615", "a:b:3"] {
            let count = id.split(',').count();
            assert_eq!(Positions::of_id(id, count).unwrap().to_string(), id);
            assert_eq!(Positions::of_id(id, count + 1), None);
        }
    }

    #[test]
    fn messages_lead_forward_only() {
        let mut positions = Positions::unknown(2);
        positions.advance(0, &at("e", 5));
        positions.advance(0, &at("e", 4));
        positions.advance(9, &at("e", 9));
        assert_eq!(positions.to_string(), "e:5,-");
        positions.advance(0, &at("f", 1));
        assert_eq!(positions.to_string(), "f:1,-");
    }

    #[test]
    fn behind_a_loss_a_log_is_seen_to_its_end_and_a_new_one_not_at_all() {
        let mut positions = Positions(vec![Some(at("e", 5)), Some(at("e", 5)), None, Some(at("e", 5))]);
        positions.lose(0, Some(&at("e", 9)));
        positions.lose(1, Some(&at("f", 9)));
        positions.lose(2, Some(&at("f", 9)));
        positions.lose(3, None);
        assert_eq!(positions.to_string(), "e:9,f:0,f:9,-");
    }
}
