//! Announcements in the embedded store: a table beside the documents, in the same transactions.

use std::sync::Arc;

use app::ports::StoreError;
use async_trait::async_trait;
use redb::{ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction};

use super::{
    super::outbox::{KEPT, Lane, Outbox, Untold, Waiting, ids_kept},
    Embedded,
};
use crate::identity::InstanceId;

/// What is not told yet. The ids are made by the one writer, so that their order is that of the changes.
const ANNOUNCEMENTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("announcements");

/// Makes the table.
pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(ANNOUNCEMENTS)?;
    Ok(())
}

/// Saves an announcement with the change it tells of.
pub(super) fn add(transaction: &WriteTransaction, untold: &Untold) -> Result<(), redb::Error> {
    let json = untold
        .to_json()
        .map_err(|error| redb::Error::Corrupted(format!("an announcement cannot be written: {error}")))?;
    transaction.open_table(ANNOUNCEMENTS)?.insert(&*untold.id, json.as_bytes())?;
    Ok(())
}

#[async_trait]
impl Outbox for Embedded {
    fn own(&self, _instance_id: &InstanceId) {
        // The file has one instance.
    }

    fn lane(&self) -> &Lane {
        &self.lane
    }

    async fn first(&self, most: usize) -> Result<Waiting, StoreError> {
        let (untold, unreadable) = self
            .read(move |transaction| {
                let (mut untold, mut unreadable) = (Vec::new(), Vec::new());
                for entry in transaction.open_table(ANNOUNCEMENTS)?.iter()?.take(most) {
                    let (id, json) = entry?;
                    match Untold::parse(id.value(), json.value()) {
                        Some(read) => untold.push(read),
                        None => unreadable.push(id.value().into()),
                    }
                }
                Ok(Ok((untold, unreadable)))
            })
            .await?;
        if !unreadable.is_empty() {
            self.remove(&unreadable).await?;
        }
        Ok(Waiting { untold, is_blocked: false })
    }

    async fn take_over(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn remove(&self, ids: &[Arc<str>]) -> Result<(), StoreError> {
        let ids = ids.to_vec();
        self.write(move |transaction| {
            let mut table = transaction.open_table(ANNOUNCEMENTS)?;
            for id in &ids {
                table.remove(&**id)?;
            }
            Ok(Ok(()))
        })
        .await
    }

    async fn shed(&self) -> Result<u64, StoreError> {
        let kept = ids_kept();
        let surplus: Vec<Arc<str>> = self
            .read(move |transaction| {
                let table = transaction.open_table(ANNOUNCEMENTS)?;
                let excess = usize::try_from(table.len()?.saturating_sub(KEPT)).unwrap_or(usize::MAX);
                let mut surplus = Vec::new();
                for entry in table.iter()? {
                    let (id, _) = entry?;
                    if surplus.len() >= excess && id.value() >= kept.as_str() {
                        break;
                    }
                    surplus.push(id.value().into());
                }
                Ok(Ok(surplus))
            })
            .await?;
        if !surplus.is_empty() {
            self.remove(&surplus).await?;
        }
        Ok(surplus.len() as u64)
    }
}
