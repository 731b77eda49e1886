//! From two texts to the edit between them.

use super::edit::{Edit, Step};

/// Pairs of lines that are compared at most, four bytes each; of longer texts one stretch is replaced.
const PAIRS: usize = 1_000_000;

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

    /// The edit that makes `after` of `before` when several places were changed: lines that stayed are kept,
    /// so that what others did to them meanwhile stays too.
    ///
    /// ```
    /// use wire::text::Edit;
    /// let edit = Edit::by_lines("one\ntwo\nthree", "One\ntwo\nthree!");
    /// assert_eq!(edit, Edit::default().insert("O").delete(1).keep(12).insert("!"));
    /// ```
    pub fn by_lines(before: &str, after: &str) -> Self {
        let (old, new): (Vec<&str>, Vec<&str>) =
            (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
        if old.len() * new.len() > PAIRS {
            return Self::between(before, after, None);
        }
        let shared = Shared::of(&old, &new);
        let mut edit = Self::default();
        let (mut left, mut right) = (0, 0);
        let (mut changed_left, mut changed_right) = (0, 0);
        while left < old.len() && right < new.len() {
            if old[left] == new[right] {
                let changed = (old[changed_left..left].concat(), new[changed_right..right].concat());
                edit = edit.beginning(&Self::between(&changed.0, &changed.1, None)).keep(old[left].chars().count());
                (left, right) = (left + 1, right + 1);
                (changed_left, changed_right) = (left, right);
            } else if shared.behind(left + 1, right) >= shared.behind(left, right + 1) {
                left += 1;
            } else {
                right += 1;
            }
        }
        edit.beginning(&Self::between(&old[changed_left..].concat(), &new[changed_right..].concat(), None))
    }

    /// This edit of the beginning of a text, and then that of its rest.
    fn beginning(self, rest: &Self) -> Self {
        rest.steps().iter().fold(self, |edit, step| match step {
            Step::Keep(chars) => edit.keep(*chars),
            Step::Insert(text) => edit.insert(text),
            Step::Delete(chars) => edit.delete(*chars),
        })
    }
}

/// How many lines the ends of two texts have in common at most, in their order.
struct Shared {
    counts: Vec<u32>,
    width: usize,
}

impl Shared {
    fn of(old: &[&str], new: &[&str]) -> Self {
        let width = new.len() + 1;
        let mut shared = Self { counts: vec![0; (old.len() + 1) * width], width };
        for left in (0..old.len()).rev() {
            for right in (0..new.len()).rev() {
                shared.counts[left * width + right] = if old[left] == new[right] {
                    shared.behind(left + 1, right + 1) + 1
                } else {
                    shared.behind(left + 1, right).max(shared.behind(left, right + 1))
                };
            }
        }
        shared
    }

    /// Of the lines from these two on.
    fn behind(&self, left: usize, right: usize) -> u32 {
        self.counts[left * self.width + right]
    }
}
