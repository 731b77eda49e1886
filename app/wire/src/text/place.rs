//! Places in a text: how edits move them, and how browsers count them.
//!
//! Edits count Unicode scalar values; a browser's text field counts UTF-16 units, two for each character
//! beyond the first 65,536.

use super::edit::{Edit, Step};

/// Where a place is when something is inserted right there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In front of it: somebody else wrote it.
    Before,
    /// Behind it: it was written at this place.
    After,
}

/// A stretch of a text field that is replaced, in UTF-16 units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// Where it begins.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// What stands there afterwards.
    pub text: String,
}

impl Edit {
    /// Where a place in the text before is in the text after; never beyond its end.
    pub fn carry(&self, place: usize, side: Side) -> usize {
        let (mut read, mut written) = (0, 0);
        for step in self.steps() {
            if read > place || (read == place && side == Side::Before) {
                break;
            }
            match step {
                Step::Keep(chars) => {
                    let kept = (*chars).min(place - read);
                    (read, written) = (read + kept, written + kept);
                    if kept < *chars {
                        break;
                    }
                }
                Step::Insert(text) => written += text.chars().count(),
                Step::Delete(chars) => read += *chars,
            }
        }
        written.min(self.length_after())
    }

    /// Where its last change ends, in the text after it; `None` when it changes nothing.
    pub fn end_of_change(&self) -> Option<usize> {
        let (mut written, mut end) = (0, None);
        for step in self.steps() {
            match step {
                Step::Keep(chars) => written += *chars,
                Step::Insert(text) => {
                    written += text.chars().count();
                    end = Some(written);
                }
                Step::Delete(_) => end = Some(written),
            }
        }
        end
    }

    /// The same edit as stretches of a text field that holds `before`. The last one comes first: done in
    /// this order, none moves another.
    pub fn splices(&self, before: &str) -> Vec<Splice> {
        let mut splices: Vec<Splice> = Vec::new();
        let mut chars = before.chars();
        let mut at = 0;
        let mut is_open = false;
        for step in self.steps() {
            match step {
                Step::Keep(count) => {
                    at += units(chars.by_ref().take(*count));
                    is_open = false;
                }
                Step::Insert(text) => {
                    splices.push(Splice { start: at, end: at, text: text.clone() });
                    is_open = true;
                }
                Step::Delete(count) => {
                    if !is_open {
                        splices.push(Splice { start: at, end: at, text: String::new() });
                    }
                    at += units(chars.by_ref().take(*count));
                    if let Some(splice) = splices.last_mut() {
                        splice.end = at;
                    }
                    is_open = true;
                }
            }
        }
        splices.reverse();
        splices
    }
}

/// UTF-16 units in front of the character at `place`.
pub fn units_before(text: &str, place: usize) -> u32 {
    units(text.chars().take(place))
}

/// Characters in front of this many UTF-16 units; a character cut in two is not counted.
pub fn scalars_before(text: &str, units: u32) -> usize {
    let mut left = usize::try_from(units).unwrap_or(usize::MAX);
    let fits = |char: &char| {
        left.checked_sub(char.len_utf16()).is_some_and(|rest| {
            left = rest;
            true
        })
    };
    text.chars().take_while(fits).count()
}

fn units(chars: impl Iterator<Item = char>) -> u32 {
    // No text is longer than a 32-bit number tells.
    u32::try_from(chars.map(char::len_utf16).sum::<usize>()).unwrap_or(u32::MAX)
}
