//! The text that everybody edits at once, as it is kept.

use async_trait::async_trait;
use thiserror::Error;
use wire::text::{AcceptedEdit, Author, Refusal, Submission, TextState};

use super::{StoreError, Tell};

/// The text and the edits that led to it, as far as they are kept: the latest
/// [`EDITS_KEPT`](wire::text::EDITS_KEPT), fewer when they are long.
#[async_trait]
pub trait Texts: Send + Sync + 'static {
    /// The text as it is now.
    async fn read(&self) -> Result<TextState, StoreError>;

    /// The edits accepted behind this version, the oldest first; [`Refusal::Outdated`] when they are not
    /// all kept any more.
    async fn since(&self, version: u64) -> Result<Vec<AcceptedEdit>, SubmitError>;

    /// Moves an edit behind those accepted since its base, and saves it with what `tell` says of it. An edit
    /// with an id that was accepted since is not taken again, and not told again.
    ///
    /// The answer is every edit behind the base, the oldest first, this one among them.
    async fn submit(
        &self,
        submission: Submission,
        author: Author,
        tell: Tell<AcceptedEdit>,
    ) -> Result<Vec<AcceptedEdit>, SubmitError>;
}

/// Why an edit was not saved.
#[derive(Debug, Error)]
pub enum SubmitError {
    /// It cannot be taken, now or later.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}
