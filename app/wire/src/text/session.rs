//! One browser's copy of a shared text: a state machine without I/O.
//!
//! At most one submission is under way. What is typed meanwhile becomes one edit, which goes out when the
//! submission was accepted. Every way by which accepted edits arrive, broadcast, answer or catching up,
//! ends in [`TextSession::hear`], which takes each version once.

use std::collections::VecDeque;

use super::{
    edit::{Edit, EditError},
    place::Side,
    submission::{AcceptedEdit, Submission, TextState},
};

/// Edits that are remembered to find places of older versions again.
const RECENT: usize = 200;

/// The text on one screen, and how it stands to the server's.
#[derive(Clone, Debug)]
pub struct TextSession {
    /// The server's version that the screen is ahead of.
    version: u64,
    /// What is on the screen.
    text: String,
    unsaved: Unsaved,
    /// Edits of the server, the latest last; each with the version it led to.
    recent: VecDeque<(u64, Edit)>,
}

/// What the screen has and the server does not.
#[derive(Clone, Debug)]
enum Unsaved {
    /// Nothing.
    Synchronised,
    /// An edit on its way.
    Awaiting(Sent),
    /// The same, and what was typed since.
    AwaitingWith(Sent, Typed),
}

/// An edit on its way, as it changes the server's text of the known version.
#[derive(Clone, Debug)]
struct Sent {
    id: String,
    typed: Typed,
}

/// One edit made of so many changes.
#[derive(Clone, Debug)]
struct Typed {
    edit: Edit,
    changes: usize,
}

/// What an accepted edit means to a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing: it was heard before.
    Known,
    /// Somebody else's: the screen changes like this.
    Changed(Edit),
    /// The visitor's own: it is saved. What was typed meanwhile goes out now.
    Saved(Option<Submission>),
    /// Edits before it are missing: ask for those behind [`TextSession::version`].
    Hole,
}

impl TextSession {
    /// A screen that shows the server's text.
    pub fn new(TextState { version, text }: TextState) -> Self {
        Self { version, text, unsaved: Unsaved::Synchronised, recent: VecDeque::new() }
    }

    /// What is on the screen.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The latest version of the server that was heard of.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many changes of the visitor are not saved yet.
    pub fn unsaved_changes(&self) -> usize {
        match &self.unsaved {
            Unsaved::Synchronised => 0,
            Unsaved::Awaiting(sent) => sent.typed.changes,
            Unsaved::AwaitingWith(sent, typed) => sent.typed.changes + typed.changes,
        }
    }

    /// The visitor changed the screen. What is to be submitted now, under `id`, if anything.
    ///
    /// # Errors
    ///
    /// When the edit was not made on what is on the screen; nothing is changed then.
    pub fn type_in(&mut self, edit: Edit, id: impl FnOnce() -> String) -> Result<Option<Submission>, EditError> {
        if edit.is_nothing() {
            return Ok(None);
        }
        let text = edit.apply(&self.text)?;
        let unsaved = match &self.unsaved {
            Unsaved::Synchronised => Unsaved::Awaiting(Sent { id: id(), typed: Typed { edit, changes: 1 } }),
            Unsaved::Awaiting(sent) => Unsaved::AwaitingWith(sent.clone(), Typed { edit, changes: 1 }),
            Unsaved::AwaitingWith(sent, typed) => {
                let typed = Typed { edit: typed.edit.then(&edit)?, changes: typed.changes + 1 };
                Unsaved::AwaitingWith(sent.clone(), typed)
            }
        };
        let is_first = matches!(self.unsaved, Unsaved::Synchronised);
        (self.text, self.unsaved) = (text, unsaved);
        Ok(if is_first { self.submission() } else { None })
    }

    /// What is under way, as it is to be submitted if that has to be done again.
    pub fn submission(&self) -> Option<Submission> {
        match &self.unsaved {
            Unsaved::Synchronised => None,
            Unsaved::Awaiting(sent) | Unsaved::AwaitingWith(sent, _) => {
                Some(Submission { base: self.version, id: sent.id.clone(), edit: sent.typed.edit.clone() })
            }
        }
    }

    /// The server accepted an edit. `id` names what goes out next, if anything does.
    ///
    /// # Errors
    ///
    /// When the edit does not fit the text: then the two texts are not the same any more, and only a
    /// session made anew helps. Nothing is changed.
    pub fn hear(&mut self, accepted: &AcceptedEdit, id: impl FnOnce() -> String) -> Result<Heard, EditError> {
        if accepted.version <= self.version {
            return Ok(Heard::Known);
        }
        if accepted.version != self.version + 1 {
            return Ok(Heard::Hole);
        }
        let (unsaved, heard) = match &self.unsaved {
            Unsaved::Synchronised => (Unsaved::Synchronised, Heard::Changed(accepted.edit.clone())),
            Unsaved::Awaiting(sent) if sent.id == accepted.id => (Unsaved::Synchronised, Heard::Saved(None)),
            Unsaved::AwaitingWith(sent, typed) if sent.id == accepted.id => {
                let next = Sent { id: id(), typed: typed.clone() };
                (Unsaved::Awaiting(next), Heard::Saved(None))
            }
            Unsaved::Awaiting(sent) => {
                let (theirs, sent) = sent.behind(&accepted.edit)?;
                (Unsaved::Awaiting(sent), Heard::Changed(theirs))
            }
            Unsaved::AwaitingWith(sent, typed) => {
                let (theirs, sent) = sent.behind(&accepted.edit)?;
                let (theirs, edit) = theirs.beside(&typed.edit)?;
                (Unsaved::AwaitingWith(sent, Typed { edit, changes: typed.changes }), Heard::Changed(theirs))
            }
        };
        if let Heard::Changed(theirs) = &heard {
            self.text = theirs.apply(&self.text)?;
        }
        self.version = accepted.version;
        self.unsaved = unsaved;
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((accepted.version, accepted.edit.clone()));
        Ok(match heard {
            Heard::Saved(_) => Heard::Saved(self.submission()),
            heard => heard,
        })
    }

    /// Where a place in the server's text of this version is on the screen; `None` for a version that was
    /// not heard of yet. Of one too old to be known exactly, a place nearby.
    pub fn find(&self, version: u64, place: usize) -> Option<usize> {
        if version > self.version {
            return None;
        }
        let mut found = place;
        for (_, edit) in self.recent.iter().filter(|(led_to, _)| *led_to > version) {
            found = edit.carry(found, Side::Before);
        }
        let (sent, typed) = match &self.unsaved {
            Unsaved::Synchronised => (None, None),
            Unsaved::Awaiting(sent) => (Some(&sent.typed.edit), None),
            Unsaved::AwaitingWith(sent, typed) => (Some(&sent.typed.edit), Some(&typed.edit)),
        };
        for edit in sent.into_iter().chain(typed) {
            found = edit.carry(found, Side::Before);
        }
        Some(found.min(self.text.chars().count()))
    }
}

impl Sent {
    /// An edit was accepted ahead of this one: that edit as it is behind this one, and the other way round.
    fn behind(&self, accepted: &Edit) -> Result<(Edit, Self), EditError> {
        let (theirs, edit) = accepted.beside(&self.typed.edit)?;
        Ok((theirs, Self { id: self.id.clone(), typed: Typed { edit, changes: self.typed.changes } }))
    }
}
