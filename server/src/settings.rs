//! What administrators change while pages are open: features, title and banner, kept as configuration.
//! Behind [`app::ports::Features`] and [`app::ports::Site`].
//!
//! Open pages are told by the instance a change was made through. When all configuration is to be read
//! anew, nobody knows what changed: one instance tells everything.

use std::{sync::Arc, time::Duration};

use app::{
    cluster::TypedChannel,
    feature::{Feature, SWITCHED},
    ports::StoreError,
    site::{CHANGED, SiteSettings},
};
use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use wire::{Channel, Pattern, Position, Since};

use crate::{
    bus::{Keys, Put},
    config_cache::{ConfigCache, ConfigChange, DEFAULT_COLLECTION, FEATURES, feature_name},
    hub::{Batch, Draft, Hub, Listener, Omit},
    store::{ConfigName, WriteError},
};

/// What the key of a feature's document begins with.
const FEATURE: &str = "feature:";
/// The keys of title and banner.
const TITLE: &str = "site:title";
const BANNER: &str = "site:banner";
/// News that wait; open pages learn of more when they are loaded again.
const WAITING: usize = 256;
/// Who tells after a refresh, and for how long nobody else does.
const TOLD: &str = "settings:told";
const TOLD_FOR: Duration = Duration::from_secs(30);

/// What pages know of the settings.
pub struct SettingsPort {
    cache: ConfigCache,
    _telling: AbortOnDropHandle<()>,
}

/// What open pages are to be told.
enum News {
    Feature(Feature),
    Site,
    /// Everything, because of this refresh; `None`: of some.
    Refreshed(Option<Arc<str>>),
}

impl SettingsPort {
    /// Starts telling open pages what changes, over REST too.
    pub fn start(cache: ConfigCache, hub: Hub, keys: Option<Keys>) -> Self {
        let (news, waiting) = mpsc::channel::<News>(WAITING);
        let put = move |item| {
            if news.try_send(item).is_err() {
                tracing::debug!("open pages learn of a setting when they are loaded again");
            }
        };
        let put_refreshed = put.clone();
        cache.on_change(move |change| {
            if let Some(item) = news_of(change) {
                put(item);
            }
        });
        cache.on_refresh_by(move |refresh| put_refreshed(News::Refreshed(refresh.cloned())));
        let telling = tokio::spawn(tell_all(cache.clone(), hub, keys, waiting));
        Self { cache, _telling: AbortOnDropHandle::new(telling) }
    }
}

fn news_of(change: &ConfigChange) -> Option<News> {
    match (change.name.collection(), change.name.key()) {
        (DEFAULT_COLLECTION, TITLE | BANNER) => Some(News::Site),
        (FEATURES, key) => {
            let name = key.strip_prefix(FEATURE)?.to_owned();
            let enabled = change.document.as_ref().is_some_and(|document| document.value["enabled"] == true);
            Some(News::Feature(Feature { name, enabled }))
        }
        _ => None,
    }
}

async fn tell_all(cache: ConfigCache, hub: Hub, keys: Option<Keys>, mut waiting: mpsc::Receiver<News>) {
    // Every page is rendered with this channel's position, which who listens has at hand.
    let _heard = match Pattern::parse(CHANGED.channel().as_str()) {
        Ok(pattern) => Some(hub.subscribe(&pattern, Omit::Nothing, Since::Now, Arc::new(Deaf)).await),
        Err(_) => None,
    };
    while let Some(news) = waiting.recv().await {
        match news {
            News::Feature(feature) => tell(&hub, SWITCHED, &feature).await,
            News::Site => tell(&hub, CHANGED, &settings(&cache).await).await,
            News::Refreshed(refresh) => {
                if !is_first(keys.as_ref(), refresh.as_deref()).await {
                    continue;
                }
                tell(&hub, CHANGED, &settings(&cache).await).await;
                for feature in features(&cache).await.unwrap_or_default() {
                    tell(&hub, SWITCHED, &feature).await;
                }
            }
        }
    }
}

/// Whether no other instance tells because of this refresh; told twice is better than not at all.
async fn is_first(keys: Option<&Keys>, refresh: Option<&str>) -> bool {
    let (Some(keys), Some(refresh)) = (keys.filter(|keys| keys.is_up()), refresh) else { return true };
    keys.put(&format!("{TOLD}:{refresh}"), "1", TOLD_FOR, Put::IfAbsent).await.unwrap_or(true)
}

async fn tell<T: Serialize>(hub: &Hub, channel: TypedChannel<T>, news: &T) {
    let Ok(Value::Object(payload)) = serde_json::to_value(news) else { return };
    let draft = Draft { channel: channel.channel(), payload, uuid: None, username: String::new(), saved: None };
    if let Err(error) = hub.publish(draft).await {
        tracing::debug!(%error, "open pages learn of a setting when they are loaded again");
    }
}

async fn features(cache: &ConfigCache) -> Result<Vec<Feature>, StoreError> {
    let documents = cache.list(FEATURES).await?;
    let features = documents.into_iter().filter_map(|document| {
        let name = document.key.strip_prefix(FEATURE)?.to_owned();
        Some(Feature { name, enabled: document.value["enabled"] == true })
    });
    Ok(features.collect())
}

/// Title and banner, whoever wrote them; what could be neither counts as not set.
async fn settings(cache: &ConfigCache) -> SiteSettings {
    let read = async |key: &str| {
        let name = ConfigName::parse(DEFAULT_COLLECTION, key).ok()?;
        let found = cache.get(&name).await.unwrap_or_else(|error| {
            tracing::debug!(%error, key, "a setting counts as not set: nobody can tell");
            None
        });
        found?.value.as_str().map(str::to_owned)
    };
    let title = read(TITLE).await.and_then(|title| SiteSettings::parse(&title, "")).unwrap_or_default().title;
    let banner = read(BANNER).await.and_then(|banner| SiteSettings::parse("", &banner)).unwrap_or_default().banner;
    SiteSettings { title, banner }
}

#[async_trait]
impl app::ports::Features for SettingsPort {
    async fn is_enabled(&self, name: &str) -> bool {
        self.cache.is_enabled(name).await
    }

    async fn all(&self) -> Result<Vec<Feature>, StoreError> {
        features(&self.cache).await
    }

    async fn switch(&self, feature: &Feature) -> Result<(), StoreError> {
        let name = feature_name(&feature.name).ok_or(StoreError::InvalidId)?;
        // What else is known of the feature stays.
        let before = self.cache.get(&name).await?;
        let metadata = before.map_or_else(|| json!({}), |before| before.value["metadata"].clone());
        put(&self.cache, &name, json!({ "enabled": feature.enabled, "metadata": metadata })).await
    }
}

#[async_trait]
impl app::ports::Site for SettingsPort {
    async fn settings(&self) -> SiteSettings {
        settings(&self.cache).await
    }

    async fn save(&self, site: &SiteSettings) -> Result<(), StoreError> {
        for (key, text) in [(TITLE, &site.title), (BANNER, &site.banner)] {
            let name = ConfigName::parse(DEFAULT_COLLECTION, key).map_err(|_| StoreError::InvalidId)?;
            put(&self.cache, &name, json!(text)).await?;
        }
        Ok(())
    }
}

async fn put(cache: &ConfigCache, name: &ConfigName, value: Value) -> Result<(), StoreError> {
    cache.put(name, value, None).await.map(drop).map_err(|error| match error {
        WriteError::Store(error) => error,
        WriteError::Conflict(version) => StoreError::Unavailable(format!("version {version}").into()),
    })
}

/// Listens, and has nothing to do with what it hears.
struct Deaf;

impl Listener for Deaf {
    fn deliver(&self, _: &Batch) {}

    fn lost(&self, _: &Channel, _: Option<&Position>) {}
}
