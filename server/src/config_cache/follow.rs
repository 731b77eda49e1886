//! What an instance hears of changes elsewhere.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use app::ports::StoreError;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use wire::{Channel, Pattern, Position, Since};

use super::{
    ConfigCache, Shared, VALUES,
    remote::{INVALIDATE, name_of},
};
use crate::{
    bus::{Told, TopicInbox},
    hub::{Batch, Draft, Hub, Link, Listener, Omit, PublishError},
    store::{ConfigName, ConfigPattern},
};

/// Where every instance is told to read all configuration anew.
pub const CHANGED: &str = "controller:config:data:changed";

/// How often Redis gets what it was too slow to take.
const REPAIRED_EVERY: Duration = Duration::from_secs(1);

/// Values doubted at once: one whose reading takes long does not hold up the others.
const DOUBTED_AT_ONCE: usize = 64;

/// What is said of one change.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invalidation {
    key: String,
    /// The process that says it; empty when it wants to hear it itself, and from other programs.
    #[serde(default)]
    source: String,
}

impl ConfigCache {
    /// Has every instance, this one included, read all configuration anew.
    ///
    /// # Errors
    ///
    /// When the instance stops.
    pub async fn refresh(&self) -> Result<(), PublishError> {
        // Here at once: whoever asked may read right after.
        self.shared.doubt_all().await;
        let Ok(channel) = Channel::parse(CHANGED) else { return Ok(()) };
        let payload = [("action".to_owned(), json!("refresh"))].into_iter().collect();
        let draft = Draft { channel, payload, uuid: None, username: String::new(), saved: None };
        self.shared.hub.publish(draft).await.map(drop)
    }

    async fn refreshed(&self, refresh: Option<&Arc<str>>) {
        self.shared.doubt_all().await;
        let handlers = self.shared.on_refresh.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for handler in &handlers {
            handler(refresh);
        }
    }
}

/// Begins to hear of changes, reads `warm_up`, and doubts what other instances say they changed.
pub(super) async fn changes(cache: ConfigCache, inbox: TopicInbox, warm_up: Vec<ConfigPattern>) {
    let shared = &cache.shared;
    if let Some(remote) = &shared.remote {
        match remote.topics.hear(&[INVALIDATE.to_owned()]).await {
            // What was read before may have changed unheard.
            Ok(()) => shared.doubt_all().await,
            Err(error) => tracing::debug!(%error, "news of configuration is heard when redis is back"),
        }
    }
    tokio::join!(warm(&cache, warm_up), heed(shared, inbox));
}

async fn warm(cache: &ConfigCache, patterns: Vec<ConfigPattern>) {
    for pattern in patterns {
        let names = match pattern {
            ConfigPattern::One(name) => vec![name],
            ConfigPattern::Below { collection, start } => match names_below(cache, &collection, &start).await {
                Ok(names) => names,
                Err(error) => {
                    tracing::debug!(%error, collection, start, "values were not read ahead");
                    continue;
                }
            },
        };
        for name in names {
            if let Err(error) = cache.get(&name).await {
                tracing::debug!(%error, key = name.key(), "a value was not read ahead");
            }
        }
    }
}

/// What the store has of a pattern; more than memory holds is read when it is asked for.
async fn names_below(cache: &ConfigCache, collection: &str, start: &str) -> Result<Vec<ConfigName>, StoreError> {
    let keys = cache.shared.store.keys(collection, start, VALUES).await?;
    Ok(keys.iter().filter_map(|key| ConfigName::parse(collection, key).ok()).collect())
}

async fn heed(shared: &Shared, inbox: TopicInbox) {
    let told = stream::unfold(inbox, |mut inbox| async move {
        let Told { text, .. } = inbox.next().await?;
        let has_lost = inbox.has_lost();
        Some(((text, has_lost), inbox))
    });
    let doubting = told.for_each_concurrent(DOUBTED_AT_ONCE, |(text, has_lost)| async move {
        if has_lost {
            return shared.doubt_all().await;
        }
        match serde_json::from_slice::<Invalidation>(&text) {
            Ok(told) if *told.source == **shared.hub.source() => {}
            Ok(told) => {
                if let Some(name) = name_of(&told.key) {
                    shared.doubt(&name).await;
                }
            }
            Err(error) => tracing::debug!(%error, "not news of a change"),
        }
    });
    doubting.await;
}

/// Doubts everything when the link is back: what was said meanwhile went unheard. Gives Redis what it lacks.
pub(super) async fn link(cache: ConfigCache, mut link: watch::Receiver<Link>) {
    let mut due = interval(REPAIRED_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            changed = link.changed() => {
                if changed.is_err() {
                    return;
                }
                if *link.borrow_and_update() == Link::Up {
                    // What Redis lacks first, so that nobody reads it there as it was.
                    cache.shared.repair().await;
                    cache.shared.doubt_all().await;
                }
            }
            _ = due.tick() => {
                if cache.shared.is_behind() && *link.borrow() == Link::Up {
                    cache.shared.repair().await;
                }
            }
        }
    }
}

/// Hears when all is to be read anew.
pub(super) async fn refreshes(cache: ConfigCache) {
    let Ok(pattern) = Pattern::parse(CHANGED) else { return };
    let (wanted, mut asked) = watch::channel(None);
    let hub: Hub = cache.shared.hub.clone();
    let ear = Arc::new(Ear(wanted));
    let _joined = hub.subscribe(&pattern, Omit::Nothing, Since::Now, ear).await;
    while asked.changed().await.is_ok() {
        let refresh = asked.borrow_and_update().clone();
        cache.refreshed(refresh.as_ref()).await;
    }
}

/// Keeps the name of the latest refresh, which does for those before.
struct Ear(watch::Sender<Option<Arc<str>>>);

impl Listener for Ear {
    fn deliver(&self, batch: &Batch) {
        // An instance on Node.js gives its messages no id.
        let name = batch.deliveries().last().map(|delivery| {
            let message = &delivery.message;
            let unnamed = || format!("{}:{}", message.instance_id, message.timestamp).into();
            message.id.clone().unwrap_or_else(unnamed)
        });
        self.0.send_replace(name);
    }

    fn lost(&self, _: &Channel, _: Option<&Position>) {
        self.0.send_replace(None);
    }
}
