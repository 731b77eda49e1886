//! Endpoints that administrators make: kept in the store, live on every instance without a restart.

use std::{sync::Arc, time::Duration};

use app::{ports::StoreError, websocket::EndpointEntry};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use wire::{Channel, Pattern, Position, Since};

use super::{Definition, Endpoint, Endpoints, Kind, Plain, is_reserved};
use crate::{
    clock,
    hub::{Batch, Draft, Listener},
};

/// Endpoints that administrators may make.
pub const CUSTOM_MAX: usize = 500;

/// Where instances tell each other what became of an endpoint.
const CHANNEL: &str = "controller:websocket:endpoint:changed";
/// How often a store that instances share is read again, for what an announcement did not tell.
const READ_EVERY: Duration = Duration::from_secs(20);
/// News that wait; one that finds no room is made good by reading.
const NEWS: usize = 256;

/// Why an endpoint is not made or removed.
#[derive(Debug, Error)]
pub enum CustomError {
    /// It is one of this application's.
    #[error("there is an endpoint of this name that is part of the application")]
    Taken,
    /// There is none of this name that an administrator made.
    #[error("there is no such endpoint")]
    Unknown,
    /// There are as many as there may be.
    #[error("there are {CUSTOM_MAX} endpoints already")]
    TooMany,
    /// The store does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of an endpoint: made or changed, or removed.
enum News {
    Defined(Definition),
    Removed(String),
}

impl Endpoints {
    /// Makes an endpoint or changes it, on every instance.
    ///
    /// # Errors
    ///
    /// When it cannot be, see [`CustomError`].
    pub async fn define(&self, mut definition: Definition, by: &str) -> Result<Definition, CustomError> {
        let known = self.get(&definition.name);
        if is_reserved(&definition.name) || known.as_ref().is_some_and(|known| known.kind == Kind::Code) {
            return Err(CustomError::Taken);
        }
        if known.is_none() && self.customs() >= CUSTOM_MAX {
            return Err(CustomError::TooMany);
        }
        (definition.updated_by, definition.updated_at) = (by.to_owned(), clock::now());
        self.shared.store.put(&definition).await?;
        self.apply(definition.clone());
        let news = json!({ "name": definition.name, "definition": definition });
        self.announce(news).await;
        Ok(definition)
    }

    /// Removes an endpoint that an administrator made, on every instance; its sockets are closed.
    ///
    /// # Errors
    ///
    /// When it cannot be, see [`CustomError`].
    pub async fn remove(&self, name: &str) -> Result<(), CustomError> {
        if self.get(name).is_some_and(|known| known.kind == Kind::Code) {
            return Err(CustomError::Taken);
        }
        let was_stored = self.shared.store.remove(name).await?;
        if !self.apply_removal(name) && !was_stored {
            return Err(CustomError::Unknown);
        }
        self.announce(json!({ "name": name, "definition": null })).await;
        Ok(())
    }

    /// What administrators made, by name.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn definitions(&self) -> Result<Vec<Definition>, StoreError> {
        self.shared.store.list().await
    }

    /// Every endpoint, by name: those of the application and those of administrators.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn entries(&self) -> Result<Vec<EndpointEntry>, StoreError> {
        let stored = self.definitions().await?;
        let entry = |(name, endpoint): (Arc<str>, Arc<Endpoint>)| {
            let known = stored.iter().find(|definition| *definition.name == *name).cloned();
            let definition = known.unwrap_or_else(|| Definition {
                name: name.to_string(),
                rule: (*endpoint.rule()).clone(),
                updated_by: String::new(),
                updated_at: String::new(),
            });
            EndpointEntry { definition, built_in: endpoint.is_built_in(), path: endpoint.path() }
        };
        Ok(self.all().into_iter().map(entry).collect())
    }

    /// Starts reading what there is, and hearing what becomes of it.
    pub(super) fn keep_custom(&self) {
        let endpoints = self.clone();
        let stop = self.shared.stop.clone();
        self.shared.tasks.spawn(stop.run_until_cancelled_owned(async move { endpoints.hear_custom().await }));
    }

    async fn hear_custom(&self) {
        let Ok(pattern) = Pattern::parse(CHANNEL) else { return };
        let (told, mut news) = mpsc::channel(NEWS);
        let hub = &self.shared.hub;
        let _joined = hub.subscribe(&pattern, hub.omit_own(), Since::Now, Arc::new(Ear { told })).await;
        let mut read = interval(READ_EVERY);
        read.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_read = false;
        loop {
            tokio::select! {
                _ = read.tick() => {
                    if !is_read || self.shared.store.is_shared() {
                        is_read = self.read_custom().await;
                    }
                }
                Some(news) = news.recv() => match news {
                    Some(news) => self.hear_news(news).await,
                    None => read.reset_immediately(),
                },
            }
        }
    }

    /// Brings what is live in line with the store; whether it could be read.
    async fn read_custom(&self) -> bool {
        let stored = match self.shared.store.list().await {
            Ok(stored) => stored,
            Err(error) => {
                tracing::debug!(%error, "the endpoints of administrators are read again in a moment");
                return false;
            }
        };
        for (name, endpoint) in self.all() {
            let is_stored = stored.iter().any(|definition| *definition.name == *name);
            if endpoint.kind == Kind::Custom && !is_stored {
                self.apply_removal(&name);
            }
        }
        for definition in stored {
            self.apply(definition);
        }
        true
    }

    async fn hear_news(&self, news: News) {
        // A store of this instance's own does not hear of it otherwise.
        let keeps = !self.shared.store.is_shared();
        let kept = match news {
            News::Defined(definition) => {
                self.apply(definition.clone());
                if keeps { self.shared.store.put(&definition).await } else { Ok(()) }
            }
            News::Removed(name) => {
                self.apply_removal(&name);
                if keeps { self.shared.store.remove(&name).await.map(drop) } else { Ok(()) }
            }
        };
        if let Err(error) = kept {
            tracing::error!(%error, "an endpoint of another instance is not kept here");
        }
    }

    fn apply(&self, definition: Definition) {
        match self.get(&definition.name) {
            Some(known) if known.kind == Kind::Custom => {
                if *known.rule() != definition.rule {
                    known.set_rule(definition.rule);
                }
            }
            Some(_) => {}
            None if is_reserved(&definition.name) || self.customs() >= CUSTOM_MAX => {}
            None => {
                if let Some(made) = Endpoint::new(&definition.name, Kind::Custom, definition.rule, Arc::new(Plain)) {
                    self.insert(made);
                }
            }
        }
    }

    /// Whether there was one.
    fn apply_removal(&self, name: &str) -> bool {
        let removed = self.take_custom(name);
        if let Some(endpoint) = &removed {
            endpoint.end(|_| true);
            self.withdraw_endpoint(endpoint);
        }
        removed.is_some()
    }

    fn customs(&self) -> usize {
        self.all().values().filter(|endpoint| endpoint.kind == Kind::Custom).count()
    }

    async fn announce(&self, news: Value) {
        let (Ok(channel), Value::Object(payload)) = (Channel::parse(CHANNEL), news) else { return };
        let draft = Draft { channel, payload, uuid: None, username: String::new(), saved: None };
        if let Err(error) = self.shared.hub.publish(draft).await {
            tracing::warn!(%error, "other instances learn of an endpoint when they read the store");
        }
    }
}

/// Hears what other instances tell; `None` when something was lost.
struct Ear {
    told: mpsc::Sender<Option<News>>,
}

impl Listener for Ear {
    fn deliver(&self, batch: &Batch) {
        for delivery in batch.deliveries() {
            let data = &delivery.message.data;
            let name = data.get("name").and_then(Value::as_str).unwrap_or_default();
            let news = match data.get("definition") {
                Some(Value::Null) => News::Removed(name.to_owned()),
                Some(definition) => match serde_json::from_value(definition.clone()) {
                    Ok(definition) => News::Defined(definition),
                    Err(_) => continue,
                },
                None => continue,
            };
            // Without room, the store is read.
            let _ = self.told.try_send(Some(news));
        }
    }

    fn lost(&self, _: &Channel, _: Option<&Position>) {
        let _ = self.told.try_send(None);
    }
}
