//! The motto of the day.

use async_trait::async_trait;
use thiserror::Error;

use super::StoreError;
use crate::motto::{Motto, MottoReading};

/// The motto of the day, kept as configuration.
#[async_trait]
pub trait Mottos: Send + Sync + 'static {
    /// Reads it as any configuration is read, and says where it was found.
    async fn read(&self) -> Result<MottoReading, StoreError>;
    /// Writes it, for every instance, and tells open pages when each has it.
    async fn save(&self, motto: &Motto) -> Result<(), SaveMottoError>;
}

/// Why a motto was not written.
#[derive(Debug, Error)]
pub enum SaveMottoError {
    /// Visitors wrote too many lately.
    #[error("too many mottos")]
    TooOften,
    /// The store does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}
