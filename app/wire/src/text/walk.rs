//! Walking along an edit in strides that somebody else decides.

use super::edit::{Edit, EditError, Step};

/// A step, or what is left of one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'a> {
    Keep(usize),
    /// The text and how many characters it has.
    Insert(&'a str, usize),
    Delete(usize),
}

/// What is left of an edit.
pub(super) struct Walk<'a> {
    steps: std::slice::Iter<'a, Step>,
    head: Option<Piece<'a>>,
}

impl Piece<'_> {
    /// Its characters.
    pub(super) fn chars(self) -> usize {
        match self {
            Self::Keep(chars) | Self::Insert(_, chars) | Self::Delete(chars) => chars,
        }
    }
}

impl<'a> Walk<'a> {
    /// At the beginning of `edit`.
    pub(super) fn along(edit: &'a Edit) -> Self {
        let mut walk = Self { steps: edit.steps().iter(), head: None };
        walk.step();
        walk
    }

    /// What comes next; `None` at the end.
    pub(super) fn head(&self) -> Option<Piece<'a>> {
        self.head
    }

    /// Goes past the next piece, whatever its length.
    pub(super) fn step(&mut self) {
        self.head = self.steps.next().map(|step| match step {
            Step::Keep(chars) => Piece::Keep(*chars),
            Step::Insert(text) => Piece::Insert(text, text.chars().count()),
            Step::Delete(chars) => Piece::Delete(*chars),
        });
    }

    /// Goes past so many characters of the next piece, which has as many; those.
    pub(super) fn take(&mut self, chars: usize) -> Option<Piece<'a>> {
        let head = self.head?;
        if chars >= head.chars() {
            self.step();
            return Some(head);
        }
        let rest = head.chars() - chars;
        let (taken, left) = match head {
            Piece::Keep(_) => (Piece::Keep(chars), Piece::Keep(rest)),
            Piece::Delete(_) => (Piece::Delete(chars), Piece::Delete(rest)),
            Piece::Insert(text, _) => {
                let place = text.char_indices().nth(chars).map_or(text.len(), |(place, _)| place);
                let (first, others) = text.split_at(place);
                (Piece::Insert(first, chars), Piece::Insert(others, rest))
            }
        };
        self.head = Some(left);
        Some(taken)
    }
}

/// The next stretch that two walks have in common; `None` when both are at their end.
pub(super) fn stride<'a, 'b>(
    one: &mut Walk<'a>,
    other: &mut Walk<'b>,
) -> Result<Option<(Piece<'a>, Piece<'b>)>, EditError> {
    match (one.head(), other.head()) {
        (None, None) => Ok(None),
        (Some(left), Some(right)) => {
            let chars = left.chars().min(right.chars());
            Ok(one.take(chars).zip(other.take(chars)))
        }
        _ => Err(EditError::Mismatch),
    }
}
