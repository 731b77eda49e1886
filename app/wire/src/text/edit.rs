//! One change of a text, as a value.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A change of a whole text: steps that lead from its beginning to its end.
///
/// Places and lengths count Unicode scalar values, so that no character can be cut in two. On the wire it
/// is a list: a positive number keeps that many characters, a negative one deletes them, a string is
/// inserted. The steps cover the whole text: an edit that was made on a text of another length is noticed.
///
/// ```
/// use wire::text::Edit;
/// let edit: Edit = serde_json::from_str(r#"[6,"small ",-3,5]"#)?;
/// assert_eq!(edit.apply("Hello big world").as_deref(), Err(&wire::text::EditError::Mismatch));
/// assert_eq!(edit.apply("Hello,big world").as_deref(), Err(&wire::text::EditError::Mismatch));
/// let edit = Edit::default().keep(6).insert("small ").delete(4).keep(5);
/// assert_eq!(edit.apply("Hello big world").as_deref(), Ok("Hello small world"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<WireStep>", into = "Vec<WireStep>")]
pub struct Edit {
    steps: Vec<Step>,
    before: usize,
    after: usize,
}

/// A part of an [`Edit`]. Neighbours are never of one kind, and what is inserted stands before what is
/// deleted: there is one way to write an edit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// So many characters stay.
    Keep(usize),
    /// This is new.
    Insert(String),
    /// So many characters go.
    Delete(usize),
}

/// Why an edit could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EditError {
    /// It was made on a text of another length.
    #[error("the edit was made on a text of another length")]
    Mismatch,
    /// A step of no characters.
    #[error("a step of an edit has at least one character")]
    EmptyStep,
    /// Lengths that add up to more than any text has.
    #[error("the edit is longer than any text")]
    TooLong,
}

impl Edit {
    /// Longer texts than this are none: keeps sums within bounds on every machine.
    const LENGTH_MAX: usize = 1 << 30;

    /// Keeps so many characters more.
    #[must_use]
    pub fn keep(mut self, chars: usize) -> Self {
        self.before += chars;
        self.after += chars;
        match self.steps.last_mut() {
            _ if chars == 0 => {}
            Some(Step::Keep(kept)) => *kept += chars,
            _ => self.steps.push(Step::Keep(chars)),
        }
        self
    }

    /// Inserts a text here.
    #[must_use]
    pub fn insert(mut self, text: &str) -> Self {
        if text.is_empty() {
            return self;
        }
        self.after += text.chars().count();
        let place = self.steps.len() - usize::from(matches!(self.steps.last(), Some(Step::Delete(_))));
        match place.checked_sub(1).and_then(|before| self.steps.get_mut(before)) {
            Some(Step::Insert(inserted)) => inserted.push_str(text),
            _ => self.steps.insert(place, Step::Insert(text.to_owned())),
        }
        self
    }

    /// Deletes the next so many characters.
    #[must_use]
    pub fn delete(mut self, chars: usize) -> Self {
        self.before += chars;
        match self.steps.last_mut() {
            _ if chars == 0 => {}
            Some(Step::Delete(deleted)) => *deleted += chars,
            _ => self.steps.push(Step::Delete(chars)),
        }
        self
    }

    /// From the beginning of the text to its end.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Characters of the text it changes.
    pub fn length_before(&self) -> usize {
        self.before
    }

    /// Characters of the text it leaves.
    pub fn length_after(&self) -> usize {
        self.after
    }

    /// Characters that it inserts.
    pub fn inserted_chars(&self) -> usize {
        let inserted = self.steps.iter().map(|step| match step {
            Step::Insert(text) => text.chars().count(),
            Step::Keep(_) | Step::Delete(_) => 0,
        });
        inserted.sum()
    }

    /// Whether it leaves every text as it is.
    pub fn is_nothing(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Keep(_)))
    }

    /// The text after it.
    ///
    /// # Errors
    ///
    /// When `text` is not as long as the one it was made on.
    pub fn apply(&self, text: &str) -> Result<String, EditError> {
        let mut rest = text;
        let mut changed = String::with_capacity(text.len());
        for step in &self.steps {
            match step {
                Step::Keep(chars) => changed.push_str(cut(&mut rest, *chars)?),
                Step::Insert(inserted) => changed.push_str(inserted),
                Step::Delete(chars) => drop(cut(&mut rest, *chars)?),
            }
        }
        if rest.is_empty() { Ok(changed) } else { Err(EditError::Mismatch) }
    }

    /// The edit that takes this one back; `text` is what this one changes.
    ///
    /// # Errors
    ///
    /// When `text` is not as long as the one it was made on.
    pub fn inverted(&self, text: &str) -> Result<Self, EditError> {
        let mut rest = text;
        let mut inverse = Self::default();
        for step in &self.steps {
            inverse = match step {
                Step::Keep(chars) => inverse.keep(cut(&mut rest, *chars)?.chars().count()),
                Step::Insert(inserted) => inverse.delete(inserted.chars().count()),
                Step::Delete(chars) => inverse.insert(cut(&mut rest, *chars)?),
            };
        }
        if rest.is_empty() { Ok(inverse) } else { Err(EditError::Mismatch) }
    }
}

/// Takes so many characters off the beginning.
fn cut<'a>(rest: &mut &'a str, chars: usize) -> Result<&'a str, EditError> {
    let Some(last) = chars.checked_sub(1) else { return Ok("") };
    let (start, char) = rest.char_indices().nth(last).ok_or(EditError::Mismatch)?;
    let (first, others) = rest.split_at(start + char.len_utf8());
    *rest = others;
    Ok(first)
}

/// A step as it stands on the wire.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WireStep {
    Count(i64),
    Text(String),
}

impl TryFrom<Vec<WireStep>> for Edit {
    type Error = EditError;

    fn try_from(steps: Vec<WireStep>) -> Result<Self, EditError> {
        let mut edit = Self::default();
        for step in steps {
            edit = match step {
                WireStep::Count(0) => return Err(EditError::EmptyStep),
                WireStep::Text(text) if text.is_empty() => return Err(EditError::EmptyStep),
                WireStep::Text(text) => edit.insert(&text),
                WireStep::Count(count) => {
                    let chars = usize::try_from(count.unsigned_abs()).map_err(|_| EditError::TooLong)?;
                    if chars > Self::LENGTH_MAX - edit.before.max(edit.after) {
                        return Err(EditError::TooLong);
                    }
                    if count > 0 { edit.keep(chars) } else { edit.delete(chars) }
                }
            };
            if edit.before.max(edit.after) > Self::LENGTH_MAX {
                return Err(EditError::TooLong);
            }
        }
        Ok(edit)
    }
}

impl From<Edit> for Vec<WireStep> {
    fn from(edit: Edit) -> Self {
        // A length is at most `LENGTH_MAX`, which every signed number of 64 bits holds.
        let count = |chars: usize| i64::try_from(chars).unwrap_or(i64::MAX);
        let steps = edit.steps.into_iter().map(|step| match step {
            Step::Keep(chars) => WireStep::Count(count(chars)),
            Step::Insert(text) => WireStep::Text(text),
            Step::Delete(chars) => WireStep::Count(-count(chars)),
        });
        steps.collect()
    }
}
