//! How a value changes: the store, Redis, memory, then everybody hears of it.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
};

use app::ports::StoreError;
use serde_json::Value;

use super::{ConfigCache, Shared};
use crate::{
    bus::BusError,
    store::{ConfigDocument, ConfigName, WriteError},
};

/// Names that Redis still has to be told of at most; beyond, it learns of the others when their time is over.
const UNWRITTEN: usize = 10_000;
/// How often a writer looks whether it was overtaken, at most; after that, it is looked into later.
const LOOKS: usize = 20;

/// What changed.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigChange {
    /// Which value.
    pub name: ConfigName,
    /// What it is now; `None` when it was removed.
    pub document: Option<Arc<ConfigDocument>>,
}

/// Changes that Redis does not have yet.
#[derive(Default)]
pub(super) struct Unwritten(BTreeSet<ConfigName>);

impl ConfigCache {
    /// Sets a value, with `expected` only when that is the version it has. Carried out to its end even when
    /// whoever asked has left.
    ///
    /// # Errors
    ///
    /// When it has another version, or the store does not answer.
    pub async fn put(
        &self,
        name: &ConfigName,
        value: Value,
        expected: Option<u64>,
    ) -> Result<Arc<ConfigDocument>, WriteError> {
        let (shared, name) = (Arc::clone(&self.shared), name.clone());
        let writing = tokio::spawn(async move {
            let doubts = shared.doubts.load(Relaxed);
            let document = Arc::new(shared.store.put(&name, &value, expected).await?);
            shared.spread(&name, Some(Arc::clone(&document)), doubts).await;
            Ok::<_, WriteError>(document)
        });
        writing.await.unwrap_or_else(|ended| Err(StoreError::Unavailable(Box::new(ended)).into()))
    }

    /// Removes a value; whether it was there.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn remove(&self, name: &ConfigName) -> Result<bool, StoreError> {
        let (shared, name) = (Arc::clone(&self.shared), name.clone());
        let removing = tokio::spawn(async move {
            let doubts = shared.doubts.load(Relaxed);
            let was_there = shared.store.remove(&name).await?;
            shared.spread(&name, None, doubts).await;
            Ok::<_, StoreError>(was_there)
        });
        removing.await.unwrap_or_else(|ended| Err(StoreError::Unavailable(Box::new(ended))))
    }
}

impl Shared {
    /// Brings what was written to the store to every other level and every instance; `doubts` is how many there
    /// were before.
    async fn spread(&self, name: &ConfigName, document: Option<Arc<ConfigDocument>>, doubts: u64) {
        if let Err(error) = self.write_remote(name, document.as_deref()).await {
            tracing::debug!(%error, key = name.key(), "redis hears of a change later");
            self.note_unwritten(name);
        }
        {
            let _turn = self.memory.turn(name).await;
            let known = self.memory.get(name).and_then(|held| held.document.as_ref().map(|known| known.updated_at));
            let new = document.as_ref().map(|document| document.updated_at);
            // Another writer of this instance may be ahead.
            if !matches!((new, known), (Some(new), Some(known)) if new < known) {
                let held = self.fresh(name, document.clone());
                // Another instance told of a change meanwhile, perhaps of this very value, a later one.
                let is_doubtful = self.doubts.load(Relaxed) != doubts;
                self.memory.put(name, Arc::new(if is_doubtful { held.stale() } else { held }));
            }
        }
        if let Some(remote) = &self.remote
            && let Err(error) = remote.tell(name, self.hub.source()).await
        {
            tracing::debug!(%error, "a change is told later");
            self.note_unwritten(name);
        }
        let change = ConfigChange { name: name.clone(), document };
        let handlers = self.on_change.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for handler in &handlers {
            handler(&change);
        }
    }

    /// Writes to Redis until what is there is what the store has: writers may overtake each other between
    /// the two.
    async fn write_remote(&self, name: &ConfigName, document: Option<&ConfigDocument>) -> Result<(), BusError> {
        let Some(remote) = &self.remote else { return Ok(()) };
        remote.put(name, document).await?;
        let mut written = document.map(|document| document.updated_at);
        for _ in 0..LOOKS {
            let now = self.store.get(name).await.map_err(|_| BusError::Down)?;
            let is_current = now.as_ref().map(|now| now.updated_at) == written;
            if is_current {
                return Ok(());
            }
            remote.put(name, now.as_ref()).await?;
            written = now.map(|now| now.updated_at);
        }
        // Nobody knows whether what it wrote last is the latest.
        Err(BusError::Down)
    }

    fn note_unwritten(&self, name: &ConfigName) {
        let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        if unwritten.0.len() < UNWRITTEN {
            unwritten.0.insert(name.clone());
        }
    }

    /// Whether Redis lacks something that it could have.
    pub(super) fn is_behind(&self) -> bool {
        !self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).0.is_empty()
    }

    /// Tells Redis, and through it the other instances, what changed while it was away, or too slow to answer.
    pub(super) async fn repair(&self) {
        let names = std::mem::take(&mut self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).0);
        for name in names {
            let repaired = async {
                let document = self.store.get(&name).await.map_err(|_| BusError::Down)?;
                self.write_remote(&name, document.as_ref()).await?;
                let Some(remote) = &self.remote else { return Ok(()) };
                remote.tell(&name, "").await
            };
            if let Err(error) = repaired.await {
                tracing::debug!(%error, key = name.key(), "redis still has to hear of a change");
                self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).0.insert(name);
            }
        }
    }
}
