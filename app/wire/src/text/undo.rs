//! Taking back one's own changes, and nobody else's.

use super::edit::{Edit, EditError};

/// Changes that can be taken back at most; the oldest are forgotten.
const KEPT: usize = 200;

/// What a visitor may take back, and what was taken back and may be done again.
///
/// A stack of edits, each the inverse of one of the visitor's own. Whatever others do meanwhile goes past
/// all of them, so that each always fits the text on the screen when its turn comes.
#[derive(Clone, Debug, Default)]
pub struct UndoStack {
    undo: Vec<Edit>,
    redo: Vec<Edit>,
}

/// Whether a change goes on with the one before it: both are taken back at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// A change of its own.
    Anew,
    /// The next key of a word.
    On,
}

impl UndoStack {
    /// The visitor changed `before`.
    ///
    /// # Errors
    ///
    /// When the edit was not made on a text as long as `before`; nothing is changed then.
    pub fn typed(&mut self, edit: &Edit, before: &str, typing: Typing) -> Result<(), EditError> {
        let mut inverse = edit.inverted(before)?;
        if typing == Typing::On
            && let Some(last) = self.undo.last()
        {
            inverse = inverse.then(last)?;
            self.undo.pop();
        }
        self.redo.clear();
        push(&mut self.undo, inverse);
        Ok(())
    }

    /// Somebody else changed the text on the screen.
    ///
    /// # Errors
    ///
    /// When the edit does not fit: then nothing can be taken back any more.
    pub fn passed(&mut self, edit: &Edit) -> Result<(), EditError> {
        let moved = move_past(&mut self.undo, edit).and_then(|()| move_past(&mut self.redo, edit));
        if moved.is_err() {
            *self = Self::default();
        }
        moved
    }

    /// The edit of `text` that takes the latest own change back; it is to be made.
    pub fn undo(&mut self, text: &str) -> Option<Edit> {
        turn(&mut self.undo, &mut self.redo, text)
    }

    /// The edit of `text` that does again what was taken back last; it is to be made.
    pub fn redo(&mut self, text: &str) -> Option<Edit> {
        turn(&mut self.redo, &mut self.undo, text)
    }
}

/// Takes the top of one stack, and puts its inverse on the other. What others have undone by their own
/// changes is passed over.
fn turn(from: &mut Vec<Edit>, to: &mut Vec<Edit>, text: &str) -> Option<Edit> {
    loop {
        let edit = from.pop()?;
        let inverse = edit.inverted(text).ok()?;
        if !edit.is_nothing() {
            push(to, inverse);
            return Some(edit);
        }
    }
}

fn push(stack: &mut Vec<Edit>, edit: Edit) {
    if stack.len() == KEPT {
        stack.remove(0);
    }
    stack.push(edit);
}

/// The top of the stack fits the text on the screen, and each other one what the one above it leaves.
fn move_past(stack: &mut [Edit], edit: &Edit) -> Result<(), EditError> {
    let mut theirs = edit.clone();
    for own in stack.iter_mut().rev() {
        let (theirs_behind, own_behind) = theirs.beside(own)?;
        (theirs, *own) = (theirs_behind, own_behind);
    }
    Ok(())
}
