//! How many bytes may wait in a queue, beside how many items.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes that are taken and given back. Shared by both ends of a queue.
#[derive(Debug)]
pub(super) struct ByteBudget {
    left: AtomicUsize,
}

impl ByteBudget {
    /// One of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self { left: AtomicUsize::new(bytes) }
    }

    /// Takes so many if they are left.
    pub(super) fn take(&self, bytes: usize) -> bool {
        self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }

    /// Gives back what was taken.
    pub(super) fn give_back(&self, bytes: usize) {
        self.left.fetch_add(bytes, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_than_there_is() {
        let budget = ByteBudget::new(10);
        assert!(budget.take(6) && !budget.take(6) && budget.take(4) && !budget.take(1));
        budget.give_back(6);
        assert!(budget.take(6) && !budget.take(1));
    }
}
