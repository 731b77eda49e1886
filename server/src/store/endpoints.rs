//! WebSocket endpoints that administrators made.

use app::ports::StoreError;
use async_trait::async_trait;

use crate::endpoint::Definition;

/// The endpoints that administrators made, by name.
#[async_trait]
pub trait EndpointStore: Send + Sync + 'static {
    /// Keeps one, in place of another of its name.
    async fn put(&self, definition: &Definition) -> Result<(), StoreError>;
    /// Removes the one of this name; whether there was one.
    async fn remove(&self, name: &str) -> Result<bool, StoreError>;
    /// All of them, by name.
    async fn list(&self) -> Result<Vec<Definition>, StoreError>;
    /// Whether other instances see the same.
    fn is_shared(&self) -> bool;
}
