//! Two edits: one behind the other, or one beside the other.

use super::{
    edit::{Edit, EditError},
    walk::{Piece, Walk, stride},
};

impl Edit {
    /// This edit and then `next`, as one.
    ///
    /// # Errors
    ///
    /// When `next` was not made on a text as long as this one leaves.
    pub fn then(&self, next: &Self) -> Result<Self, EditError> {
        let (mut first, mut second) = (Walk::along(self), Walk::along(next));
        let mut both = Self::default();
        loop {
            if let Some(Piece::Delete(chars)) = first.head() {
                both = both.delete(chars);
                first.step();
                continue;
            }
            if let Some(Piece::Insert(text, _)) = second.head() {
                both = both.insert(text);
                second.step();
                continue;
            }
            both = match stride(&mut first, &mut second)? {
                None => return Ok(both),
                Some((Piece::Keep(chars), Piece::Keep(_))) => both.keep(chars),
                Some((Piece::Keep(chars), Piece::Delete(_))) => both.delete(chars),
                Some((Piece::Insert(text, _), Piece::Keep(_))) => both.insert(text),
                // Inserted and deleted again; the other pieces were gone past above.
                Some(_) => both,
            };
        }
    }

    /// Two edits of one text, of which `self` was accepted first: each as it is behind the other. Whichever
    /// goes first, both together leave the same text.
    ///
    /// What both insert at one place stands in the order in which it was accepted; what both delete is
    /// deleted once; what one inserts into what the other deletes stays.
    ///
    /// # Errors
    ///
    /// When the two were not made on texts of one length.
    ///
    /// ```
    /// use wire::text::Edit;
    /// let (ann, ben) = (Edit::default().insert("A").keep(3), Edit::default().keep(2).delete(1).insert("B"));
    /// let (ann_behind, ben_behind) = ann.beside(&ben)?;
    /// assert_eq!(ben_behind.apply(&ann.apply("xyz")?)?, "AxyB");
    /// assert_eq!(ann_behind.apply(&ben.apply("xyz")?)?, "AxyB");
    /// # Ok::<(), wire::text::EditError>(())
    /// ```
    pub fn beside(&self, later: &Self) -> Result<(Self, Self), EditError> {
        let (mut first, mut second) = (Walk::along(self), Walk::along(later));
        let (mut first_behind, mut second_behind) = (Self::default(), Self::default());
        loop {
            if let Some(Piece::Insert(text, chars)) = first.head() {
                (first_behind, second_behind) = (first_behind.insert(text), second_behind.keep(chars));
                first.step();
                continue;
            }
            if let Some(Piece::Insert(text, chars)) = second.head() {
                (first_behind, second_behind) = (first_behind.keep(chars), second_behind.insert(text));
                second.step();
                continue;
            }
            match stride(&mut first, &mut second)? {
                None => return Ok((first_behind, second_behind)),
                Some((Piece::Keep(chars), Piece::Keep(_))) => {
                    (first_behind, second_behind) = (first_behind.keep(chars), second_behind.keep(chars));
                }
                Some((Piece::Delete(chars), Piece::Keep(_))) => first_behind = first_behind.delete(chars),
                Some((Piece::Keep(chars), Piece::Delete(_))) => second_behind = second_behind.delete(chars),
                // Deleted by both; inserts were gone past above.
                Some(_) => {}
            }
        }
    }
}
