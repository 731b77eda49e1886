//! The shared text in the embedded store.

use std::sync::Arc;

use app::ports::{StoreError, SubmitError, Tell, Texts};
use async_trait::async_trait;
use redb::{ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use wire::text::{AcceptedEdit, Author, EDITS_KEPT, Outcome, Refusal, Submission, TextState};

use super::{super::EDITS_BYTES, Embedded};

/// The text, under [`TEXT`].
const TEXTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("texts");
/// The edits that led to it as JSON, by the version each led to.
const EDITS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("texts.edits");
const TEXT: &str = "hello";

/// The text as stored: JSON, so that fields can be added.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(flatten)]
    state: TextState,
    /// Bytes of all edits that are kept.
    edits_bytes: usize,
}

/// What became of a submission: every edit behind its base, and whether the last of them is new.
struct Taken {
    edits: Vec<AcceptedEdit>,
    is_new: bool,
}

/// Makes the tables of this collection.
pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(TEXTS)?;
    transaction.open_table(EDITS)?;
    Ok(())
}

/// The shared text of an [`Embedded`] store.
pub(in super::super) struct EmbeddedTexts(Arc<Embedded>);

impl EmbeddedTexts {
    pub(in super::super) fn new(store: Arc<Embedded>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl Texts for EmbeddedTexts {
    async fn read(&self) -> Result<TextState, StoreError> {
        let read = self.0.read(|transaction| Ok(Ok(stored(&transaction.open_table(TEXTS)?)?.state)));
        read.await
    }

    async fn since(&self, version: u64) -> Result<Vec<AcceptedEdit>, SubmitError> {
        let read = self.0.read(move |transaction| {
            let now = stored(&transaction.open_table(TEXTS)?)?.state.version;
            Ok(Ok((now, behind(&transaction.open_table(EDITS)?, version)?)))
        });
        let (now, edits) = read.await?;
        let missed = now.checked_sub(version).and_then(|missed| usize::try_from(missed).ok());
        if missed != Some(edits.len()) {
            return Err(Refusal::Outdated { version: now }.into());
        }
        Ok(edits)
    }

    async fn submit(
        &self,
        submission: Submission,
        author: Author,
        tell: Tell<AcceptedEdit>,
    ) -> Result<Vec<AcceptedEdit>, SubmitError> {
        let tell: Tell<Result<Taken, Refusal>> = Box::new(move |taken| {
            let accepted = taken.as_ref().ok().filter(|taken| taken.is_new)?.edits.last()?;
            tell(accepted)
        });
        let change = move |transaction: &WriteTransaction| submit(transaction, submission, author).map(Ok);
        Ok(self.0.write_and_tell(change, tell).await??.edits)
    }
}

fn submit(
    transaction: &WriteTransaction,
    submission: Submission,
    author: Author,
) -> Result<Result<Taken, Refusal>, redb::Error> {
    let mut texts = transaction.open_table(TEXTS)?;
    let mut table = transaction.open_table(EDITS)?;
    let Record { state, mut edits_bytes } = stored(&texts)?;
    let mut edits = behind(&table, submission.base)?;
    let (state, accepted) = match state.take(submission, author, &edits) {
        Ok(Outcome::Accepted(state, accepted)) => (state, accepted),
        Ok(Outcome::Repeated) => return Ok(Ok(Taken { edits, is_new: false })),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let json = write(&accepted)?;
    edits_bytes += json.len();
    table.insert(accepted.version, json.as_slice())?;
    trim(&mut table, &mut edits_bytes)?;
    texts.insert(TEXT, write(&Record { state, edits_bytes })?.as_slice())?;
    edits.push(accepted);
    Ok(Ok(Taken { edits, is_new: true }))
}

/// Drops the oldest edits that are too much.
fn trim(edits: &mut Table<'_, u64, &[u8]>, bytes: &mut usize) -> Result<(), redb::Error> {
    while edits.len()? > EDITS_KEPT as u64 || *bytes > EDITS_BYTES {
        let Some((_, json)) = edits.pop_first()? else { break };
        *bytes = bytes.saturating_sub(json.value().len());
    }
    Ok(())
}

fn stored(texts: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<Record, redb::Error> {
    texts.get(TEXT)?.map_or_else(|| Ok(Record::default()), |json| read(json.value()))
}

/// The edits that are kept behind a version.
fn behind(edits: &impl ReadableTable<u64, &'static [u8]>, version: u64) -> Result<Vec<AcceptedEdit>, redb::Error> {
    edits.range(version.saturating_add(1)..)?.map(|entry| read(entry?.1.value())).collect()
}

fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, redb::Error> {
    serde_json::from_slice(json).map_err(|error| redb::Error::Corrupted(format!("a text cannot be read: {error}")))
}

fn write(part: &impl Serialize) -> Result<Vec<u8>, redb::Error> {
    serde_json::to_vec(part).map_err(|error| redb::Error::Corrupted(format!("a text cannot be written: {error}")))
}
