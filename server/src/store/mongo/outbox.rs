//! Announcements in MongoDB: carried by documents until the instance that saved them has told them.
//!
//! A carrier is any document with a list `announcements`, the oldest first: the changed document itself
//! or one in a collection of its own, see [`super::change`]. Each entry is owned by the instance that
//! saved it; behind its lease another instance takes it over. A carrier with `gone` is removed with its
//! last announcement.

use std::sync::Arc;

use app::ports::StoreError;
use async_trait::async_trait;
use futures_util::future::try_join_all;
use mongodb::{
    Collection, Database, IndexModel,
    bson::{Bson, DateTime, Document, doc},
    error::Error,
    options::IndexOptions,
};
use serde::Deserialize;

use super::{
    super::outbox::{KEPT, Lane, Outbox, Untold, Waiting, ids_kept},
    Mongo, carts, notifications, texts, todos,
};
use crate::{clock::now_milliseconds, identity::InstanceId};

/// The carriers of changes saved in transactions.
pub(super) const COLLECTION: &str = "announcements";
/// How long an announcement is left to the instance that saved it, in milliseconds.
const LEASE: i64 = 15_000;
/// Carriers taken over at once at most; more are taken over next time.
const TAKEN_OVER: usize = 1_000;

/// A document with what is to be told of it.
#[derive(Deserialize)]
pub(super) struct Carrier {
    #[serde(default)]
    announcements: Vec<Entry>,
}

/// One announcement in a carrier; [`entry`] writes it, with its `leaseUntil`.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "_id")]
    id: String,
    owner: String,
    /// The rest, as text: payloads have keys and numbers that BSON does not take.
    json: String,
}

/// A carrier as far as its announcements are named.
#[derive(Deserialize)]
pub(super) struct Named {
    #[serde(default)]
    announcements: Vec<Name>,
}

#[derive(Deserialize)]
struct Name {
    #[serde(rename = "_id")]
    id: String,
}

impl Named {
    /// What to ask for.
    pub(super) fn projection() -> Document {
        doc! { "announcements._id": 1 }
    }

    /// The ids of the announcements, the oldest first.
    pub(super) fn ids(self) -> Vec<Arc<str>> {
        self.announcements.into_iter().map(|name| name.id.into()).collect()
    }
}

/// Makes the index that finds announcements, and nothing else, in every collection with carriers.
pub(super) async fn create_indexes(database: &Database) -> Result<(), Error> {
    let carriers = carriers(database);
    let made = carriers.iter().map(async |carriers| {
        let options = IndexOptions::builder().sparse(true).build();
        let index = IndexModel::builder().keys(doc! { "announcements._id": 1 }).options(options).build();
        carriers.create_index(index).await
    });
    try_join_all(made).await.map(drop)
}

/// An announcement as a carrier has it.
pub(super) fn entry(untold: &Untold, owner: &str) -> Result<Document, Error> {
    Ok(doc! {
        "_id": &*untold.id,
        "owner": owner,
        "leaseUntil": in_milliseconds(LEASE),
        "json": untold.to_json().map_err(Error::custom)?,
    })
}

/// Every collection that may hold carriers.
fn carriers(database: &Database) -> [Collection<Carrier>; 5] {
    [todos::COLLECTION, carts::COLLECTION, texts::COLLECTION, notifications::COLLECTION, COLLECTION]
        .map(|name| database.collection(name))
}

/// Carriers with an announcement like this; the id leads to the index.
fn with_entry(mut like: Document) -> Document {
    like.insert("_id", doc! { "$gt": "" });
    doc! { "announcements": { "$elemMatch": like } }
}

fn in_milliseconds(milliseconds: i64) -> DateTime {
    DateTime::from_millis(i64::try_from(now_milliseconds()).unwrap_or(i64::MAX).saturating_add(milliseconds))
}

#[async_trait]
impl Outbox for Mongo {
    fn own(&self, instance_id: &InstanceId) {
        // Said twice, the first name stays.
        let _ = self.owner.set(instance_id.clone());
    }

    fn lane(&self) -> &Lane {
        &self.lane
    }

    async fn first(&self, most: usize) -> Result<Waiting, StoreError> {
        let owner = self.owner();
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let carriers = carriers(&self.database);
        let found = self.within(try_join_all(carriers.iter().map(|carriers| owned(carriers, &owner, limit)))).await?;
        let mut waiting = Waiting::default();
        let mut in_order = Vec::new();
        let mut unreadable = Vec::new();
        for Carrier { announcements } in found.into_iter().flatten() {
            // Behind everything its document had before, which may have been named later.
            let mut place = String::new();
            let mut is_mine = true;
            for entry in announcements {
                is_mine &= entry.owner == *owner;
                if !is_mine {
                    waiting.is_blocked |= entry.owner == *owner;
                    continue;
                }
                place = place.max(entry.id.clone());
                match Untold::parse(&entry.id, entry.json.as_bytes()) {
                    Some(untold) => in_order.push((place.clone(), untold)),
                    None => unreadable.push(entry.id.into()),
                }
            }
        }
        if !unreadable.is_empty() {
            self.remove(&unreadable).await?;
        }
        in_order.sort_by(|(one, _), (other, _)| one.cmp(other));
        waiting.untold = in_order.into_iter().take(most).map(|(_, untold)| untold).collect();
        Ok(waiting)
    }

    async fn take_over(&self) -> Result<(), StoreError> {
        let owner = self.owner();
        for carriers in carriers(&self.database) {
            for _ in 0..TAKEN_OVER {
                let now = in_milliseconds(0);
                let left = doc! { "owner": { "$ne": &*owner }, "leaseUntil": { "$lt": now } };
                let mine = doc! { "$set": {
                    "announcements.$[left].owner": &*owner,
                    "announcements.$[left].leaseUntil": in_milliseconds(LEASE),
                } };
                let filter = doc! { "left.owner": { "$ne": &*owner }, "left.leaseUntil": { "$lt": now } };
                let taken = self.within(async {
                    carriers.find_one_and_update(with_entry(left), mine).array_filters([filter]).await
                });
                match taken.await? {
                    Some(Carrier { announcements }) => {
                        let count = announcements.len();
                        tracing::info!(count, "announcing what another instance saved and did not announce");
                    }
                    None => break,
                }
            }
        }
        Ok(())
    }

    async fn remove(&self, ids: &[Arc<str>]) -> Result<(), StoreError> {
        let ids: Vec<&str> = ids.iter().map(|id| &**id).collect();
        let carriers = carriers(&self.database);
        self.within(try_join_all(carriers.iter().map(|carriers| remove_from(carriers, &ids)))).await.map(drop)
    }

    async fn shed(&self) -> Result<u64, StoreError> {
        let mut shed = 0;
        for carriers in carriers(&self.database) {
            shed += self.within(shed_from(&carriers)).await?;
        }
        Ok(shed)
    }
}

/// Carriers with something for this owner, the oldest first.
async fn owned(carriers: &Collection<Carrier>, owner: &str, limit: i64) -> Result<Vec<Carrier>, Error> {
    let mut found = carriers
        .find(with_entry(doc! { "owner": owner }))
        .projection(doc! { "announcements": 1 })
        .sort(doc! { "announcements._id": 1 })
        .limit(limit)
        .await?;
    let mut all = Vec::new();
    while found.advance().await? {
        all.push(found.deserialize_current()?);
    }
    Ok(all)
}

/// Removes announcements from their carriers, and with the last of them carriers that are gone.
async fn remove_from(carriers: &Collection<Carrier>, ids: &[&str]) -> Result<(), Error> {
    let is_last = doc! {
        "gone": true,
        "announcements._id": { "$in": ids },
        "announcements": { "$not": { "$elemMatch": { "_id": { "$nin": ids } } } },
    };
    carriers.delete_many(is_last).await?;
    let is_told = doc! { "$in": ["$$this._id", ids] };
    carriers.update_many(doc! { "announcements._id": { "$in": ids } }, without(is_told)).await.map(drop)
}

/// Takes announcements off a carrier. Of an empty list nothing is left: the index holds carriers alone.
fn without(which: Document) -> Vec<Document> {
    let rest = doc! { "$filter": { "input": "$announcements", "cond": { "$not": [which] } } };
    let is_empty = doc! { "$eq": ["$announcements", Bson::Array(Vec::new())] };
    vec![
        doc! { "$set": { "announcements": rest } },
        doc! { "$set": { "announcements": { "$cond": [is_empty, "$$REMOVE", "$announcements"] } } },
    ]
}

/// Drops what is too old or too much in one collection; how many announcements that were.
async fn shed_from(carriers: &Collection<Carrier>) -> Result<u64, Error> {
    let named = |matching: Document| {
        vec![
            doc! { "$match": { "announcements._id": matching } },
            doc! { "$unwind": "$announcements" },
            doc! { "$project": { "_id": "$announcements._id" } },
        ]
    };
    let kept = i64::try_from(KEPT).unwrap_or(i64::MAX);
    let mut beyond = named(doc! { "$gt": "" });
    beyond.extend([doc! { "$sort": { "_id": -1 } }, doc! { "$skip": kept }, doc! { "$limit": 1 }]);
    let newest_beyond =
        first_of(carriers, beyond).await?.and_then(|found| found.get_str("_id").map(str::to_owned).ok());
    let until = newest_beyond.unwrap_or_default().max(ids_kept());
    let is_surplus = doc! { "$lte": &until };
    let mut surplus = named(is_surplus.clone());
    surplus.extend([doc! { "$match": { "_id": &is_surplus } }, doc! { "$count": "count" }]);
    let Some(counted) = first_of(carriers, surplus).await? else { return Ok(0) };
    let is_dropped = doc! { "$lte": ["$$this._id", &until] };
    carriers.update_many(doc! { "announcements._id": &is_surplus }, without(is_dropped)).await?;
    carriers.delete_many(doc! { "gone": true, "announcements": { "$exists": false } }).await?;
    Ok(counted.get_i32("count").ok().and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
}

async fn first_of(carriers: &Collection<Carrier>, pipeline: Vec<Document>) -> Result<Option<Document>, Error> {
    let mut found = carriers.aggregate(pipeline).await?;
    Ok(if found.advance().await? { Some(found.deserialize_current()?) } else { None })
}
