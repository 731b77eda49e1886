//! What a server does with an edit that is submitted to it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    EDIT_ID_BYTES, STEPS_MOVED, TEXT_CHARS,
    edit::{Edit, EditError, Step},
};

/// A shared text as it is at one version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextState {
    /// How many edits led to it.
    pub version: u64,
    /// All of it.
    pub text: String,
}

/// An edit that a browser asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// The version it was made on.
    pub base: u64,
    /// Names it for good: submitted again, it is taken once.
    pub id: String,
    /// What is to change.
    pub edit: Edit,
}

/// Who made an edit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The browser tab, when a browser asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Empty for a guest.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
}

/// An edit in its place among all others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedEdit {
    /// The version it led to: one more than the version it changes.
    pub version: u64,
    /// As it was submitted.
    pub id: String,
    /// As it changes the version before.
    pub edit: Edit,
    /// Who made it.
    #[serde(flatten)]
    pub author: Author,
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was accepted, and this is the text after it.
    Accepted(TextState, AcceptedEdit),
    /// It had been accepted before: its answer was lost on the way.
    Repeated,
}

/// Why a submission is not taken; the text is for the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The edits since its version are not all known any more, or its version is none of this text.
    #[error("The text has changed too much since this version of it. It is at version {version} now.")]
    Outdated {
        /// The version of the text now.
        version: u64,
    },
    /// The text would be too long.
    #[error("The text has at most {TEXT_CHARS} characters.")]
    TooLong,
    /// It does not fit the version it names.
    #[error("The edit was made on a text of another length.")]
    Mismatch,
    /// It inserts what a text field does not hold.
    #[error("The text holds letters, line feeds and tabs, but no other control characters.")]
    Control,
    /// Its id is none.
    #[error("The id of an edit is 1 to {EDIT_ID_BYTES} of A-Z a-z 0-9 _ . : -")]
    InvalidId,
}

impl TextState {
    /// Decides on `submission`; `later` are the edits accepted behind its base, the oldest first.
    ///
    /// Changes nothing: whoever keeps the text saves what this answers, unless it was changed meanwhile.
    ///
    /// # Errors
    ///
    /// When it cannot be taken; see [`Refusal`].
    pub fn take(&self, submission: Submission, author: Author, later: &[AcceptedEdit]) -> Result<Outcome, Refusal> {
        let Submission { base, id, mut edit } = submission;
        if !is_id(&id) {
            return Err(Refusal::InvalidId);
        }
        let outdated = Refusal::Outdated { version: self.version };
        let missed = self.version.checked_sub(base).ok_or(outdated)?;
        if usize::try_from(missed) != Ok(later.len()) {
            return Err(outdated);
        }
        if later.iter().any(|accepted| accepted.id == id) {
            return Ok(Outcome::Repeated);
        }
        let inserts = edit.steps().iter().filter_map(|step| match step {
            Step::Insert(text) => Some(text),
            Step::Keep(_) | Step::Delete(_) => None,
        });
        if inserts.flat_map(|text| text.chars()).any(is_foreign) {
            return Err(Refusal::Control);
        }
        if edit.steps().len().saturating_mul(later.len()) > STEPS_MOVED {
            return Err(outdated);
        }
        for accepted in later {
            (_, edit) = accepted.edit.beside(&edit)?;
        }
        if edit.length_after() > TEXT_CHARS.max(edit.length_before()) {
            return Err(Refusal::TooLong);
        }
        let text = edit.apply(&self.text)?;
        let version = self.version + 1;
        Ok(Outcome::Accepted(Self { version, text }, AcceptedEdit { version, id, edit, author }))
    }
}

impl From<EditError> for Refusal {
    fn from(_: EditError) -> Self {
        Self::Mismatch
    }
}

/// A text as a text field holds it: line feeds between lines, no control characters but those and tabs.
pub fn plain_text(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_foreign) {
        return Cow::Borrowed(text);
    }
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(lines.chars().filter(|char| !is_foreign(*char)).collect())
}

fn is_foreign(char: char) -> bool {
    char.is_control() && !matches!(char, '\n' | '\t')
}

fn is_id(id: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    (1..=EDIT_ID_BYTES).contains(&id.len()) && id.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(version: u64, id: &str, edit: Edit) -> AcceptedEdit {
        AcceptedEdit { version, id: id.into(), edit, author: Author::default() }
    }

    fn submission(base: u64, id: &str, edit: Edit) -> Submission {
        Submission { base, id: id.into(), edit }
    }

    fn state() -> (TextState, Vec<AcceptedEdit>) {
        let edits = [Edit::default().insert("abc"), Edit::default().keep(3).insert("def")];
        let edits = edits.into_iter().zip(1..).map(|(edit, version)| accepted(version, &version.to_string(), edit));
        (TextState { version: 2, text: "abcdef".into() }, edits.collect())
    }

    fn take(submission: Submission, later: &[AcceptedEdit]) -> Result<Outcome, Refusal> {
        state().0.take(submission, Author::default(), later)
    }

    #[test]
    fn an_edit_of_an_older_version_is_moved_behind_what_was_accepted_since() {
        let (_, edits) = state();
        let outcome = take(submission(1, "new", Edit::default().delete(1).keep(2)), &edits[1..]);
        let Ok(Outcome::Accepted(after, edit)) = outcome else { panic!("{outcome:?}") };
        assert_eq!((after.version, after.text.as_str()), (3, "bcdef"));
        assert_eq!((edit.version, edit.edit), (3, Edit::default().delete(1).keep(5)));
    }

    #[test]
    fn an_edit_that_comes_twice_is_taken_once() {
        let (_, edits) = state();
        let again = submission(1, "2", Edit::default().keep(3).insert("def"));
        assert_eq!(take(again, &edits[1..]), Ok(Outcome::Repeated));
    }

    #[test]
    fn an_edit_that_would_take_long_to_move_is_outdated() {
        const CHARS: usize = 4_000;
        let many = (0..CHARS).fold(Edit::default(), |edit, _| edit.keep(1).insert("x"));
        let take_behind = |count: u64| {
            let later: Vec<_> =
                (1..=count).map(|version| accepted(version, "e", Edit::default().keep(CHARS))).collect();
            let state = TextState { version: count, text: "a".repeat(CHARS) };
            state.take(submission(0, "x", many.clone()), Author::default(), &later)
        };
        assert!(take_behind(10).is_ok());
        assert_eq!(take_behind(100), Err(Refusal::Outdated { version: 100 }));
    }

    #[test]
    fn each_edit_that_cannot_be_taken_has_its_reason() {
        let (_, edits) = state();
        let insert = |text: &str| Edit::default().keep(6).insert(text);
        let long = "x".repeat(TEXT_CHARS - 5);
        for (submission, later, refusal) in [
            (submission(0, "x", Edit::default()), &edits[1..], Refusal::Outdated { version: 2 }),
            (submission(3, "x", insert("g")), &edits[..0], Refusal::Outdated { version: 2 }),
            (submission(2, "x", Edit::default().keep(5)), &edits[..0], Refusal::Mismatch),
            (submission(1, "x", insert("g")), &edits[1..], Refusal::Mismatch),
            (submission(2, "x", insert(&long)), &edits[..0], Refusal::TooLong),
            (submission(2, "x", insert("a\rb")), &edits[..0], Refusal::Control),
            (submission(2, "x", insert("\u{0}")), &edits[..0], Refusal::Control),
            (submission(2, "", insert("g")), &edits[..0], Refusal::InvalidId),
            (submission(2, "ü", insert("g")), &edits[..0], Refusal::InvalidId),
        ] {
            assert_eq!(take(submission.clone(), later), Err(refusal), "{submission:?}");
        }
        assert!(take(submission(2, "x", insert(&long[1..])), &[]).is_ok());
    }

    #[test]
    fn a_text_is_made_one_that_a_text_field_holds() {
        assert_eq!(plain_text("one\r\ntwo\rthree\tfour\u{0}\u{7}"), "one\ntwo\nthree\tfour");
        assert!(matches!(plain_text("as it\nis 😀"), Cow::Borrowed(_)));
    }

    #[test]
    fn an_accepted_edit_is_written_flat() {
        let author = Author { uuid: Some("tab".into()), username: "mona".into() };
        let edit = AcceptedEdit { author, ..accepted(7, "x", Edit::default().keep(2).insert("ü").delete(1)) };
        let written = serde_json::json!({
            "version": 7, "id": "x", "edit": [2, "ü", -1], "uuid": "tab", "username": "mona",
        });
        assert_eq!(serde_json::to_value(&edit).expect("plain data"), written);
        assert_eq!(serde_json::from_value::<AcceptedEdit>(written).expect("of that shape"), edit);
    }
}
