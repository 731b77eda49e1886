//! Breaking things on purpose.

use async_trait::async_trait;
use thiserror::Error;

use crate::fault::Fault;

/// What developers may break, on their own machine.
#[async_trait]
pub trait Faults: Send + Sync + 'static {
    /// Breaks something; it heals by itself.
    ///
    /// # Errors
    ///
    /// When there is nothing of that kind to break.
    async fn cause(&self, fault: Fault) -> Result<(), FaultError>;
}

/// Why something was not broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FaultError {
    /// There is no other instance.
    #[error("no other instance")]
    NobodyElse,
    /// There is no Redis, or it did not do it.
    #[error("redis takes no part")]
    NoRedis,
}
