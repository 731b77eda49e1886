//! The statuses of users: documents of the configuration, so that they are in the store, and cached on every instance.

use std::sync::Arc;

use app::{
    account::User,
    ports::{Cluster, Publisher, StoreError, UserStatuses},
    user_status::{STATUS_CHANGED, UserStatus, UserStatusChange},
};
use async_trait::async_trait;
use serde_json::{Value, json};

use crate::{
    clock::{now_milliseconds, rfc3339},
    config_cache::ConfigCache,
    store::{ConfigName, WriteError},
};

/// The collection of the documents; their keys are `name:` and the user name in lower case. Pages know others by name.
const COLLECTION: &str = "userStatus";

/// [`UserStatuses`] of this instance.
pub struct UserStatusPort {
    documents: ConfigCache,
    cluster: Arc<dyn Cluster>,
}

impl UserStatusPort {
    /// Keeps statuses in `documents` and announces them on `cluster`.
    pub fn new(documents: ConfigCache, cluster: Arc<dyn Cluster>) -> Self {
        Self { documents, cluster }
    }
}

#[async_trait]
impl UserStatuses for UserStatusPort {
    async fn of(&self, username: &str) -> Result<UserStatus, StoreError> {
        let Some(name) = name(username) else { return Ok(UserStatus::default()) };
        let found = self.documents.get(&name).await?;
        let status = found.as_deref().and_then(|document| document.value["status"].as_str());
        Ok(status.and_then(|status| UserStatus::parse(status).ok()).unwrap_or_default())
    }

    async fn set(&self, user: &User, status: UserStatus, publisher: Publisher) -> Result<(), StoreError> {
        let name = name(&user.username).ok_or(StoreError::InvalidId)?;
        // Without an expected version there is no conflict.
        if let Err(WriteError::Store(error)) = self.documents.put(&name, json!({ "status": status }), None).await {
            return Err(error);
        }
        let change = UserStatusChange {
            user_id: user.id.clone(),
            status,
            username: user.username.clone(),
            name: user.name.clone(),
            timestamp: rfc3339(now_milliseconds()),
        };
        // A struct with text keys: nothing here can fail to serialise.
        if let Ok(Value::Object(payload)) = serde_json::to_value(change) {
            self.cluster.announce(&STATUS_CHANGED.channel(), payload, publisher).await;
        }
        Ok(())
    }
}

fn name(username: &str) -> Option<ConfigName> {
    ConfigName::parse(COLLECTION, &format!("name:{}", username.to_lowercase())).ok()
}
