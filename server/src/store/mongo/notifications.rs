//! What administrators told everybody, in MongoDB.

use std::sync::Arc;

use app::{
    ports::{Notifications, StoreError, Tell},
    system_notification::{LoggedNotification, NotificationDraft, Severity, SystemNotification},
    timestamp,
};
use async_trait::async_trait;
use mongodb::{
    Collection,
    bson::{DateTime, Document, doc, oid::ObjectId},
    error::Error,
};
use serde::Deserialize;

use super::{
    super::{NOTIFICATIONS_KEPT, outbox::Untold},
    Mongo,
    outbox::entry,
};

pub(super) const COLLECTION: &str = "systemNotifications";

/// A notification as stored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(rename = "_id")]
    id: ObjectId,
    message: String,
    level: Severity,
    #[serde(default)]
    critical: bool,
    admin_user: String,
    timestamp: DateTime,
}

/// The notifications of a [`Mongo`] store.
pub(in super::super) struct MongoNotifications {
    store: Arc<Mongo>,
    documents: Collection<Document>,
}

impl MongoNotifications {
    pub(in super::super) fn new(store: Arc<Mongo>) -> Self {
        Self { documents: store.database.collection(COLLECTION), store }
    }

    /// Inserted with its announcement in it, which is one write on every kind of MongoDB.
    async fn insert(
        &self,
        draft: NotificationDraft,
        admin_user: &str,
        tell: &Tell<LoggedNotification>,
    ) -> Result<LoggedNotification, Error> {
        let (id, now) = (ObjectId::new(), timestamp::now());
        let sent = draft.sent_at(timestamp::rfc3339(now));
        let mut document = doc! {
            "_id": id,
            "message": &sent.message,
            "level": sent.level.as_str(),
            "critical": sent.critical,
            "adminUser": admin_user,
            "timestamp": DateTime::from_millis(now),
        };
        let logged = LoggedNotification { id: id.to_hex(), admin_user: admin_user.to_owned(), sent };
        let untold = tell(&logged).map(Untold::new);
        if let Some(untold) = &untold {
            document.insert("announcements", vec![entry(untold, &self.store.owner())?]);
        }
        self.documents.insert_one(document).await?;
        if let Some(untold) = untold {
            self.store.lane.put(untold);
        }
        Ok(logged)
    }

    /// Removes what is too much; what is not told yet stays.
    async fn trim(&self) -> Result<(), Error> {
        let oldest_kept = self.documents.find_one(doc! {}).sort(doc! { "_id": -1 }).skip(NOTIFICATIONS_KEPT).await?;
        if let Some(first_out) = oldest_kept {
            let too_old = doc! { "_id": { "$lte": first_out.get_object_id("_id").map_err(Error::custom)? } };
            let mut told = too_old;
            told.insert("announcements.0", doc! { "$exists": false });
            self.documents.delete_many(told).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Notifications for MongoNotifications {
    async fn add(
        &self,
        draft: NotificationDraft,
        admin_user: &str,
        tell: Tell<LoggedNotification>,
    ) -> Result<LoggedNotification, StoreError> {
        let added = self.store.within(self.insert(draft, admin_user, &tell)).await?;
        if let Err(error) = self.store.within(self.trim()).await {
            tracing::warn!(%error, "old notifications were not removed; they are next time");
        }
        Ok(added)
    }

    async fn latest(&self, limit: usize) -> Result<Vec<LoggedNotification>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.store
            .within(async {
                let newest = self.documents.clone_with_type::<Record>();
                let projection = doc! { "announcements": 0 };
                let mut found =
                    newest.find(doc! {}).projection(projection).sort(doc! { "_id": -1 }).limit(limit).await?;
                let mut latest = Vec::new();
                while found.advance().await? {
                    latest.push(found.deserialize_current()?.into());
                }
                Ok(latest)
            })
            .await
    }
}

impl From<Record> for LoggedNotification {
    fn from(record: Record) -> Self {
        let Record { id, message, level, critical, admin_user, timestamp } = record;
        let timestamp = timestamp::rfc3339(timestamp.timestamp_millis());
        Self { id: id.to_hex(), admin_user, sent: SystemNotification { message, level, critical, timestamp } }
    }
}
