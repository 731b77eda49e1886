//! Which messages were offered to whom, for as long as it may matter.

use std::{collections::VecDeque, sync::Arc};

use super::ListenerId;
use crate::table::Table;

/// The ids of the last messages with the listeners they were offered to.
///
/// Bounded: the oldest id is forgotten for a new one. Positions tell most repetitions; ids tell those
/// of messages that were in no log when they came first.
#[derive(Debug)]
pub(super) struct Recent {
    capacity: usize,
    order: VecDeque<Arc<str>>,
    offered: Table<Arc<str>, Vec<ListenerId>>,
}

impl Recent {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, order: VecDeque::new(), offered: Table::default() }
    }

    /// Whether a message was offered to a listener.
    pub(super) fn holds(&self, id: &str, listener: ListenerId) -> bool {
        self.offered.get(id).is_some_and(|listeners| listeners.contains(&listener))
    }

    /// Notes that a message was offered to a listener; whether that is new.
    pub(super) fn offer(&mut self, id: &Arc<str>, listener: ListenerId) -> bool {
        if let Some(listeners) = self.offered.get_mut(id) {
            let is_new = !listeners.contains(&listener);
            if is_new {
                listeners.push(listener);
            }
            return is_new;
        }
        if self.order.len() == self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.offered.remove(&oldest);
        }
        self.order.push_back(Arc::clone(id));
        self.offered.insert(Arc::clone(id), vec![listener]);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_message_is_new_once_to_each_listener() {
        let mut recent = Recent::new(8);
        assert!(recent.offer(&"a".into(), ListenerId(1)));
        assert!(!recent.offer(&"a".into(), ListenerId(1)));
        assert!(recent.offer(&"a".into(), ListenerId(2)));
    }

    #[test]
    fn the_oldest_id_is_forgotten_first() {
        let mut recent = Recent::new(2);
        for id in ["a", "b", "c"] {
            assert!(recent.offer(&id.into(), ListenerId(1)));
        }
        assert!(!recent.offer(&"b".into(), ListenerId(1)));
        assert!(recent.offer(&"a".into(), ListenerId(1)));
    }
}
