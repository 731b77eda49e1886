//! WebSocket endpoints, as the pages of administrators see and change them.

use async_trait::async_trait;
use thiserror::Error;

use super::StoreError;
use crate::websocket::{Definition, EndpointEntry, StatsUpdate};

/// The endpoints of this instance's cluster.
#[async_trait]
pub trait WebSockets: Send + Sync + 'static {
    /// How they are used, on all instances.
    fn stats(&self) -> StatsUpdate;
    /// All of them, by name.
    async fn entries(&self) -> Result<Vec<EndpointEntry>, StoreError>;
    /// Makes one or changes it, on every instance; `by` is the administrator's name.
    async fn define(&self, definition: Definition, by: &str) -> Result<(), DefineError>;
    /// Removes one that an administrator made, on every instance; its sockets are closed.
    async fn remove(&self, name: &str) -> Result<(), DefineError>;
}

/// Why an endpoint is not made or removed.
#[derive(Debug, Error)]
pub enum DefineError {
    /// It is one of this application's.
    #[error("the endpoint is part of the application")]
    Taken,
    /// There is none of this name that an administrator made.
    #[error("there is no such endpoint")]
    Unknown,
    /// There are as many as there may be.
    #[error("there are too many endpoints")]
    TooMany,
    /// The store does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}
