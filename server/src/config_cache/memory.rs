//! Values in this instance's memory, within bounds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::store::ConfigName;

/// The part of all that is forgotten at once when there is too much: one in so many.
const FORGOTTEN: usize = 16;

/// A value for each name. When there are too many, those used longest ago are forgotten.
///
/// Whoever changes the value of a name waits for its turn, so that what takes long is not done twice, and
/// nothing is put behind what is newer.
pub(super) struct Memory<V> {
    most: usize,
    inner: Mutex<Inner<V>>,
}

struct Inner<V> {
    places: HashMap<ConfigName, Place<V>>,
    /// Counts uses.
    now: u64,
}

struct Place<V> {
    value: Option<Arc<V>>,
    used_at: u64,
    turn: Arc<Semaphore>,
}

/// The right to change the value of one name; given on when dropped.
pub(super) struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

impl<V> Memory<V> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, inner: Mutex::new(Inner { places: HashMap::new(), now: 0 }) }
    }

    /// The value, which counts as used now.
    pub(super) fn get(&self, name: &ConfigName) -> Option<Arc<V>> {
        let mut inner = self.inner();
        inner.now += 1;
        let now = inner.now;
        let place = inner.places.get_mut(name)?;
        place.used_at = now;
        place.value.clone()
    }

    /// Whether there is a value, or somebody about to put one.
    pub(super) fn knows(&self, name: &ConfigName) -> bool {
        self.inner().places.contains_key(name)
    }

    /// Every name.
    pub(super) fn names(&self) -> Vec<ConfigName> {
        self.inner().places.keys().cloned().collect()
    }

    /// Waits until nobody else is about to change the value of this name.
    pub(super) async fn turn(&self, name: &ConfigName) -> Turn {
        let turn = {
            let mut inner = self.inner();
            if inner.places.len() >= self.most && !inner.places.contains_key(name) {
                inner.forget(self.most);
            }
            inner.now += 1;
            let new = || Place { value: None, used_at: 0, turn: Arc::new(Semaphore::new(1)) };
            let now = inner.now;
            let place = inner.places.entry(name.clone()).or_insert_with(new);
            place.used_at = now;
            Arc::clone(&place.turn)
        };
        // It is never closed.
        Turn { _permit: turn.acquire_owned().await.ok() }
    }

    /// Puts a value; to be called by whose turn it is.
    pub(super) fn put(&self, name: &ConfigName, value: Arc<V>) {
        if let Some(place) = self.inner().places.get_mut(name) {
            place.value = Some(value);
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner<V>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Inner<V> {
    /// Forgets what was used longest ago, but for names somebody is busy with.
    fn forget(&mut self, most: usize) {
        let mut uses: Vec<u64> = self.places.values().map(|place| place.used_at).collect();
        let oldest = (most / FORGOTTEN).min(uses.len() - 1);
        let (_, &mut until, _) = uses.select_nth_unstable(oldest);
        self.places.retain(|_, place| place.used_at > until || Arc::strong_count(&place.turn) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> ConfigName {
        ConfigName::parse("config", &format!("n{number}")).unwrap()
    }

    #[tokio::test]
    async fn what_was_used_longest_ago_is_forgotten_first() {
        let memory = Memory::new(32);
        for number in 0..32 {
            let _turn = memory.turn(&name(number)).await;
            memory.put(&name(number), Arc::new(number));
        }
        assert_eq!(memory.get(&name(0)).as_deref(), Some(&0));
        let _turn = memory.turn(&name(32)).await;
        assert!(memory.get(&name(0)).is_some(), "it was just used");
        assert!(memory.get(&name(1)).is_none());
        assert!(memory.names().len() <= 32);
    }

    #[tokio::test]
    async fn a_name_is_changed_by_one_at_a_time() {
        let memory = Memory::<usize>::new(8);
        let first = memory.turn(&name(0)).await;
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(10), memory.turn(&name(0))).await;
        assert!(waiting.is_err(), "it is not its turn");
        let _other = memory.turn(&name(1)).await;
        drop(first);
        memory.turn(&name(0)).await;
    }
}
