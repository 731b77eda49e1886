//! What administrators change while pages are open: features, title and banner, kept as configuration.
//! Behind [`app::ports::Features`] and [`app::ports::Site`].
//!
//! Open pages are told by the instance a change was made through. When all configuration is to be read
//! anew, nobody knows what changed: one instance tells everything. Title and banner are on every page, so
//! each instance has them at hand: as it heard them last, and read again every few seconds.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use app::{
    cluster::TypedChannel,
    feature::{Feature, SWITCHED},
    ports::StoreError,
    site::{CHANGED, SiteSettings, SiteStanding},
};
use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
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
/// How often title and banner are read, whatever was heard of them.
const READ_EVERY: Duration = Duration::from_secs(5);

/// What pages know of the settings.
pub struct SettingsPort {
    cache: ConfigCache,
    standing: Standing,
    _telling: AbortOnDropHandle<()>,
}

/// Title and banner as this instance knows them.
type Standing = Arc<RwLock<SiteStanding>>;

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
        let standing = Standing::default();
        let task = Task { cache: cache.clone(), hub, keys, standing: Arc::clone(&standing) };
        Self { cache, standing, _telling: AbortOnDropHandle::new(tokio::spawn(task.run(waiting))) }
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

/// Tells open pages, and keeps title and banner current.
struct Task {
    cache: ConfigCache,
    hub: Hub,
    keys: Option<Keys>,
    standing: Standing,
}

impl Task {
    async fn run(self, mut waiting: mpsc::Receiver<News>) {
        let channel = CHANGED.channel();
        let _heard = match Pattern::parse(channel.as_str()) {
            Ok(pattern) => {
                let ear = Arc::new(Ear(Arc::clone(&self.standing)));
                Some(self.hub.subscribe(&pattern, Omit::Nothing, Since::Now, ear).await)
            }
            Err(_) => None,
        };
        let mut due = interval(READ_EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = due.tick() => self.read(&channel).await,
                news = waiting.recv() => match news {
                    Some(news) => self.tell(news).await,
                    None => return,
                },
            }
        }
    }

    /// Reads what may have changed unheard. The position first: what follows it is newer.
    async fn read(&self, channel: &Channel) {
        let position = self.hub.position(channel).await;
        if let Some(settings) = read(&self.cache).await {
            *self.standing.write().unwrap_or_else(PoisonError::into_inner) = SiteStanding { settings, position };
        }
    }

    async fn tell(&self, news: News) {
        match news {
            News::Feature(feature) => tell(&self.hub, SWITCHED, &feature).await,
            News::Site => self.tell_site().await,
            News::Refreshed(refresh) => {
                if !is_first(self.keys.as_ref(), refresh.as_deref()).await {
                    return;
                }
                self.tell_site().await;
                for feature in features(&self.cache).await.unwrap_or_default() {
                    tell(&self.hub, SWITCHED, &feature).await;
                }
            }
        }
    }

    async fn tell_site(&self) {
        if let Some(settings) = read(&self.cache).await {
            tell(&self.hub, CHANGED, &settings).await;
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

/// Title and banner, whoever wrote them; what could be neither counts as not set. `None` when nobody can tell.
async fn read(cache: &ConfigCache) -> Option<SiteSettings> {
    let text = async |key: &str| {
        let name = ConfigName::parse(DEFAULT_COLLECTION, key).ok()?;
        let found = cache.get(&name).await.inspect_err(|error| tracing::debug!(%error, key, "nobody can tell")).ok()?;
        Some(found.and_then(|found| found.value.as_str().map(str::to_owned)).unwrap_or_default())
    };
    let (title, banner) = (text(TITLE).await?, text(BANNER).await?);
    let title = SiteSettings::parse(&title, "").unwrap_or_default().title;
    Some(SiteSettings { title, ..SiteSettings::parse("", &banner).unwrap_or_default() })
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
    fn standing(&self) -> SiteStanding {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).clone()
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

/// Takes title and banner as they are told.
struct Ear(Standing);

impl Listener for Ear {
    fn deliver(&self, batch: &Batch) {
        for delivery in batch.deliveries() {
            let message = &delivery.message;
            if let Ok(settings) = serde_json::from_value(Value::Object(message.data.clone())) {
                let standing = SiteStanding { settings, position: message.position.clone() };
                *self.0.write().unwrap_or_else(PoisonError::into_inner) = standing;
            }
        }
    }

    /// What was lost is read in a few seconds.
    fn lost(&self, _: &Channel, _: Option<&Position>) {}
}
