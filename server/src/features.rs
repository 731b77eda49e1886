//! Feature flags for pages: the configuration behind [`app::ports::Features`].

use app::{
    feature::{Feature, SWITCHED},
    ports::StoreError,
};
use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    config_cache::{ConfigCache, FEATURES, feature_name},
    hub::{Draft, Hub},
    store::WriteError,
};

/// What the key of a feature's document begins with.
const START: &str = "feature:";
/// Switches that wait to be told; open pages learn of more when they are loaded again.
const WAITING: usize = 256;

/// What pages know of features.
pub struct FeaturePort {
    cache: ConfigCache,
    _telling: AbortOnDropHandle<()>,
}

impl FeaturePort {
    /// Starts telling open pages what is switched through this instance, over REST too.
    pub fn start(cache: ConfigCache, hub: Hub) -> Self {
        let (switched, mut waiting) = mpsc::channel::<Feature>(WAITING);
        cache.on_change(move |change| {
            let Some(name) = change.name.key().strip_prefix(START) else { return };
            if change.name.collection() != FEATURES {
                return;
            }
            let enabled = change.document.as_ref().is_some_and(|document| document.value["enabled"] == true);
            if switched.try_send(Feature { name: name.to_owned(), enabled }).is_err() {
                tracing::debug!(feature = name, "open pages learn of a feature when they are loaded again");
            }
        });
        let telling = tokio::spawn(async move {
            while let Some(feature) = waiting.recv().await {
                tell(&hub, &feature).await;
            }
        });
        Self { cache, _telling: AbortOnDropHandle::new(telling) }
    }
}

async fn tell(hub: &Hub, feature: &Feature) {
    let Ok(Value::Object(payload)) = serde_json::to_value(feature) else { return };
    let channel = SWITCHED.channel();
    let draft = Draft { channel, payload, uuid: None, username: String::new(), saved: None };
    if let Err(error) = hub.publish(draft).await {
        tracing::debug!(%error, "open pages learn of a feature when they are loaded again");
    }
}

#[async_trait]
impl app::ports::Features for FeaturePort {
    async fn is_enabled(&self, name: &str) -> bool {
        self.cache.is_enabled(name).await
    }

    async fn all(&self) -> Result<Vec<Feature>, StoreError> {
        let documents = self.cache.list(FEATURES).await?;
        let features = documents.into_iter().filter_map(|document| {
            let name = document.key.strip_prefix(START)?.to_owned();
            Some(Feature { name, enabled: document.value["enabled"] == true })
        });
        Ok(features.collect())
    }

    async fn switch(&self, feature: &Feature) -> Result<(), StoreError> {
        let name = feature_name(&feature.name).ok_or(StoreError::InvalidId)?;
        // What else is known of the feature stays.
        let before = self.cache.get(&name).await?;
        let metadata = before.map_or_else(|| json!({}), |before| before.value["metadata"].clone());
        let value = json!({ "enabled": feature.enabled, "metadata": metadata });
        self.cache.put(&name, value, None).await.map(drop).map_err(|error| match error {
            WriteError::Store(error) => error,
            WriteError::Conflict(version) => StoreError::Unavailable(format!("version {version}").into()),
        })
    }
}
