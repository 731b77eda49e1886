//! What administrators told everybody, in the embedded store.

use std::sync::Arc;

use app::{
    ports::{Notifications, StoreError, Tell},
    system_notification::{LoggedNotification, NotificationDraft},
    timestamp,
};
use async_trait::async_trait;
use mongodb::bson::oid::ObjectId;
use redb::{ReadableTableMetadata, TableDefinition, WriteTransaction};

use super::{super::NOTIFICATIONS_KEPT, Embedded};

/// The documents as JSON, by id, which sorts by time.
const NOTIFICATIONS: TableDefinition<'_, [u8; 12], &[u8]> = TableDefinition::new("notifications");

/// Makes the table of this collection.
pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(NOTIFICATIONS)?;
    Ok(())
}

/// The notifications of an [`Embedded`] store.
pub(in super::super) struct EmbeddedNotifications(Arc<Embedded>);

impl EmbeddedNotifications {
    pub(in super::super) fn new(store: Arc<Embedded>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl Notifications for EmbeddedNotifications {
    async fn add(
        &self,
        draft: NotificationDraft,
        admin_user: &str,
        tell: Tell<LoggedNotification>,
    ) -> Result<LoggedNotification, StoreError> {
        let admin_user = admin_user.to_owned();
        self.0.write_and_tell(move |transaction| add(transaction, draft, admin_user).map(Ok), tell).await
    }

    async fn latest(&self, limit: usize) -> Result<Vec<LoggedNotification>, StoreError> {
        let read = self.0.read(move |transaction| {
            let table = transaction.open_table(NOTIFICATIONS)?;
            let newest = table.range::<[u8; 12]>(..)?.rev().take(limit);
            newest.map(|entry| parse(entry?.1.value())).collect::<Result<_, _>>().map(Ok)
        });
        read.await
    }
}

fn add(
    transaction: &WriteTransaction,
    draft: NotificationDraft,
    admin_user: String,
) -> Result<LoggedNotification, redb::Error> {
    let id = ObjectId::new();
    let sent = draft.sent_at(timestamp::rfc3339(timestamp::now()));
    let logged = LoggedNotification { id: id.to_hex(), admin_user, sent };
    let json = serde_json::to_vec(&logged)
        .map_err(|error| redb::Error::Corrupted(format!("a notification cannot be written: {error}")))?;
    let mut table = transaction.open_table(NOTIFICATIONS)?;
    table.insert(id.bytes(), json.as_slice())?;
    while table.len()? > NOTIFICATIONS_KEPT {
        table.pop_first()?;
    }
    Ok(logged)
}

fn parse(json: &[u8]) -> Result<LoggedNotification, redb::Error> {
    serde_json::from_slice(json)
        .map_err(|error| redb::Error::Corrupted(format!("a notification cannot be read: {error}")))
}
