//! The shared text in MongoDB: one document with the edits that led to it, so that an edit, the text after
//! it and the news of it are one write on every kind of MongoDB.

use std::sync::Arc;

use app::ports::{StoreError, SubmitError, Tell, Texts};
use async_trait::async_trait;
use mongodb::{
    Collection,
    bson::{Document, doc},
    error::Error,
};
use serde::Deserialize;
use wire::text::{AcceptedEdit, Author, EDITS_KEPT, Outcome, Refusal, Submission, TextState};

use super::{
    super::{EDITS_BYTES, outbox::Untold},
    Mongo,
    change::a_moment,
    is_duplicate,
    outbox::Named,
};

pub(super) const COLLECTION: &str = "helloTexts";
const TEXT: &str = "hello";

/// The text as stored.
#[derive(Default, Deserialize)]
struct Record {
    version: i64,
    text: String,
    /// The latest edits, the oldest first: JSON each, so that their numbers and texts stay as they are.
    #[serde(default)]
    edits: Vec<String>,
}

/// The shared text of a [`Mongo`] store.
pub(in super::super) struct MongoTexts {
    store: Arc<Mongo>,
    texts: Collection<Record>,
}

impl MongoTexts {
    pub(in super::super) fn new(store: Arc<Mongo>) -> Self {
        Self { texts: store.database.collection(COLLECTION), store }
    }

    /// The text; `None` until the first edit.
    async fn stored(&self, projection: Document) -> Result<Option<Record>, Error> {
        self.texts.find_one(one()).projection(projection).await
    }

    /// Makes the document that edits change.
    async fn create(&self) -> Result<(), Error> {
        let empty = doc! { "$setOnInsert": { "version": 0_i64, "text": "", "edits": [] } };
        match self.texts.update_one(one(), empty).upsert(true).await {
            Err(error) if !is_duplicate(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads the text, decides, and writes unless somebody else wrote meanwhile.
    async fn take(
        &self,
        submission: &Submission,
        author: &Author,
        tell: &Tell<AcceptedEdit>,
    ) -> Result<Result<Vec<AcceptedEdit>, Refusal>, Error> {
        let documents = self.texts.clone_with_type::<Named>();
        loop {
            let Some(record) = self.stored(doc! { "announcements": 0 }).await? else {
                self.create().await?;
                continue;
            };
            let (state, mut later) = record.behind(submission.base)?;
            let (after, accepted) = match state.take(submission.clone(), author.clone(), &later) {
                Ok(Outcome::Accepted(after, accepted)) => (after, accepted),
                Ok(Outcome::Repeated) => return Ok(Ok(later)),
                Err(refusal) => return Ok(Err(refusal)),
            };
            let json = serde_json::to_string(&accepted).map_err(Error::custom)?;
            let kept = record.kept_with(&json);
            let mut unchanged = one();
            unchanged.insert("version", record.version);
            let update = doc! {
                "$set": { "version": signed(after.version)?, "text": after.text },
                "$push": { "edits": { "$each": [json], "$slice": -kept } },
            };
            let untold = tell(&accepted).map(Untold::new);
            if self.store.in_one_write(&documents, unchanged, update, untold).await? {
                later.push(accepted);
                return Ok(Ok(later));
            }
            a_moment().await;
        }
    }
}

#[async_trait]
impl Texts for MongoTexts {
    async fn read(&self) -> Result<TextState, StoreError> {
        let read = self.store.within(async {
            let record = self.stored(doc! { "version": 1, "text": 1 }).await?.unwrap_or_default();
            Ok(record.behind(0)?.0)
        });
        read.await
    }

    async fn since(&self, version: u64) -> Result<Vec<AcceptedEdit>, SubmitError> {
        let read = self.store.within(async {
            let record = self.stored(doc! { "version": 1, "edits": 1, "text": 1 }).await?.unwrap_or_default();
            record.behind(version)
        });
        let (state, edits) = read.await?;
        let missed = state.version.checked_sub(version).and_then(|missed| usize::try_from(missed).ok());
        if missed != Some(edits.len()) {
            return Err(Refusal::Outdated { version: state.version }.into());
        }
        Ok(edits)
    }

    async fn submit(
        &self,
        submission: Submission,
        author: Author,
        tell: Tell<AcceptedEdit>,
    ) -> Result<Vec<AcceptedEdit>, SubmitError> {
        Ok(self.store.within(self.take(&submission, &author, &tell)).await??)
    }
}

impl Record {
    /// The text, and the edits that are kept behind a version.
    fn behind(&self, version: u64) -> Result<(TextState, Vec<AcceptedEdit>), Error> {
        let now = u64::try_from(self.version).map_err(Error::custom)?;
        let missed = usize::try_from(now.saturating_sub(version)).unwrap_or(usize::MAX);
        let latest = &self.edits[self.edits.len().saturating_sub(missed)..];
        let edits = latest.iter().map(|json| serde_json::from_str(json)).collect::<Result<_, _>>();
        Ok((TextState { version: now, text: self.text.clone() }, edits.map_err(Error::custom)?))
    }

    /// How many edits are kept when this one is added.
    fn kept_with(&self, added: &str) -> i32 {
        let mut bytes = added.len();
        let earlier = self.edits.iter().rev().take(EDITS_KEPT - 1).take_while(|edit| {
            bytes += edit.len();
            bytes <= EDITS_BYTES
        });
        // At most `EDITS_KEPT`.
        i32::try_from(earlier.count() + 1).unwrap_or(i32::MAX)
    }
}

/// The document of the text.
fn one() -> Document {
    doc! { "_id": TEXT }
}

/// A version as BSON has numbers.
fn signed(version: u64) -> Result<i64, Error> {
    i64::try_from(version).map_err(Error::custom)
}
