//! How a change is saved with its announcement, on every kind of MongoDB.
//!
//! A replica set has transactions: the change is made in one, together with an entry in a carrier of
//! its own, `announcements/{collection}/{id}`. A server that stands alone has none, but writes one
//! document at once or not at all: the changed document is its own carrier, and a removed one stays as
//! a tombstone, out of every list, until its removal is told. Either way two changes of one document
//! come one behind the other, and their announcements in the same order.

use std::{sync::Arc, time::Duration};

use app::ports::Tell;
use futures_util::future::BoxFuture;
use mongodb::{
    ClientSession, Collection,
    bson::{Document, doc, oid::ObjectId},
    error::{Error, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT},
    options::ReturnDocument,
};
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    super::outbox::Untold,
    Mongo,
    outbox::{COLLECTION, Named, entry},
};

/// Announcements that wait in one carrier at most; the oldest is dropped, and logged.
const OF_ONE_DOCUMENT: i32 = 1_000;

impl Mongo {
    /// Makes a change in a transaction, with an announcement of what it leaves; `None` when there was
    /// nothing to change. `change` is called again when another change came between.
    pub(super) async fn in_transaction<T, F>(
        &self,
        document: (&'static str, ObjectId),
        tell: &Tell<T>,
        change: F,
    ) -> Result<Option<T>, Error>
    where
        T: Send + Sync,
        F: for<'a> Fn(&'a mut ClientSession) -> BoxFuture<'a, Result<Option<T>, Error>> + Send + Sync,
    {
        let mut session = self.client.start_session().await?;
        loop {
            match self.attempt(&mut session, document, tell, &change).await {
                Ok((changed, untold)) => {
                    if let Some(untold) = untold {
                        self.lane.put(untold);
                    }
                    return Ok(changed);
                }
                Err(error) => {
                    // It may have ended with the error; what is left of it ends by itself in a minute.
                    let _ = session.abort_transaction().await;
                    if !error.contains_label(TRANSIENT_TRANSACTION_ERROR) {
                        return Err(error);
                    }
                }
            }
            a_moment().await;
        }
    }

    async fn attempt<T, F>(
        &self,
        session: &mut ClientSession,
        (collection, id): (&'static str, ObjectId),
        tell: &Tell<T>,
        change: &F,
    ) -> Result<(Option<T>, Option<Untold>), Error>
    where
        T: Send + Sync,
        F: for<'a> Fn(&'a mut ClientSession) -> BoxFuture<'a, Result<Option<T>, Error>> + Send + Sync,
    {
        session.start_transaction().await?;
        let changed = change(session).await?;
        let mut untold = changed.as_ref().and_then(tell).map(Untold::new);
        if let Some(untold) = &mut untold {
            let carriers: Collection<Named> = self.database.collection(COLLECTION);
            let carrier = doc! { "_id": format!("{collection}/{id}") };
            let added = self.with_announcement(doc! { "$set": { "gone": true } }, untold)?;
            let before = carriers
                .find_one_and_update(carrier, added)
                .upsert(true)
                .projection(Named::projection())
                .return_document(ReturnDocument::Before)
                .session(&mut *session)
                .await?;
            untold.behind = waiting(before);
        }
        while let Err(error) = session.commit_transaction().await {
            if !error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) {
                return Err(error);
            }
        }
        Ok((changed, untold))
    }

    /// Makes `update` on the one document that is as in `filter`, with the announcement in it; `false`
    /// when the document is not like that any more.
    pub(super) async fn in_one_write(
        &self,
        documents: &Collection<Named>,
        filter: Document,
        update: Document,
        untold: Option<Untold>,
    ) -> Result<bool, Error> {
        let Some(mut untold) = untold else {
            return Ok(documents.update_one(filter, update).await?.matched_count > 0);
        };
        let before = documents
            .find_one_and_update(filter, self.with_announcement(update, &untold)?)
            .projection(Named::projection())
            .return_document(ReturnDocument::Before)
            .await?;
        let is_changed = before.is_some();
        if is_changed {
            untold.behind = waiting(before);
            self.lane.put(untold);
        }
        Ok(is_changed)
    }

    fn with_announcement(&self, mut update: Document, untold: &Untold) -> Result<Document, Error> {
        let added = doc! { "$each": [entry(untold, &self.owner())?], "$slice": -OF_ONE_DOCUMENT };
        match update.get_document_mut("$push") {
            Ok(pushed) => drop(pushed.insert("announcements", added)),
            Err(_) => drop(update.insert("$push", doc! { "announcements": added })),
        }
        Ok(update)
    }
}

/// What waited already in a carrier.
fn waiting(before: Option<Named>) -> Vec<Arc<str>> {
    let ids = before.map(Named::ids).unwrap_or_default();
    if i32::try_from(ids.len()).is_ok_and(|count| count < OF_ONE_DOCUMENT) {
        return ids;
    }
    tracing::error!("a document changed more often than announcements are kept of it: the oldest was dropped");
    ids
}

/// Lets another change of the same document go first; a random while, so that they do not meet again.
pub(super) async fn a_moment() {
    let [dice, ..] = *Uuid::new_v4().as_bytes();
    sleep(Duration::from_millis(u64::from(dice % 16) + 1)).await;
}
