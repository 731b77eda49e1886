//! From two texts to the edit between them.

use super::edit::Edit;

impl Edit {
    /// The edit that makes `after` of `before`: one stretch that is replaced, as short as can be.
    ///
    /// Where characters repeat, one stretch does as well as another: then the one that ends at `caret`,
    /// a place in `after`, is chosen, because that is where somebody typed.
    ///
    /// ```
    /// use wire::text::Edit;
    /// assert_eq!(Edit::between("aaa", "aaaa", Some(1)), Edit::default().insert("a").keep(3));
    /// assert_eq!(Edit::between("aaa", "aaaa", Some(4)), Edit::default().keep(3).insert("a"));
    /// assert_eq!(Edit::between("tea", "sea", None), Edit::default().insert("s").delete(1).keep(2));
    /// ```
    pub fn between(before: &str, after: &str, caret: Option<usize>) -> Self {
        let (old, new) = (before.chars().count(), after.chars().count());
        let shared = old.min(new);
        let behind_caret = caret.map_or(shared, |caret| new.saturating_sub(caret).min(shared));
        let same_end = |most: usize| {
            before.chars().rev().zip(after.chars().rev()).take(most).take_while(|(left, right)| left == right).count()
        };
        let end = same_end(behind_caret);
        let start =
            before.chars().zip(after.chars()).take(shared - end).take_while(|(left, right)| left == right).count();
        // The caret may have been elsewhere, as after undoing.
        let end = same_end(shared - start);
        let inserted: String = after.chars().skip(start).take(new - end - start).collect();
        Self::default().keep(start).insert(&inserted).delete(old - end - start).keep(end)
    }
}
