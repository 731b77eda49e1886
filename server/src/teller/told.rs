//! What was told lately.

use std::{collections::BTreeSet, sync::Arc};

/// More than the lane holds, so that nothing on it was told and forgotten.
const REMEMBERED: usize = 10_000;

/// The ids of the announcements told last; the oldest is forgotten for a new one. They sort by time.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeSet<Arc<str>>);

impl Told {
    pub(super) fn insert(&mut self, id: Arc<str>) {
        self.0.insert(id);
        if self.0.len() > REMEMBERED {
            self.0.pop_first();
        }
    }

    pub(super) fn contains(&self, id: &Arc<str>) -> bool {
        self.0.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let mut told = Told::default();
        let id = |number: usize| format!("{number:08}").into();
        (0..=REMEMBERED).for_each(|number| told.insert(id(number)));
        assert!(!told.contains(&id(0)) && told.contains(&id(1)) && told.contains(&id(REMEMBERED)));
    }
}
