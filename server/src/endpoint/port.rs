//! The endpoints as pages reach them.

use std::sync::{Arc, Weak};

use app::{
    ports::{DefineError, StoreError, WebSockets},
    websocket::{Definition, EndpointEntry, StatsUpdate},
};
use async_trait::async_trait;

use super::{CustomError, Endpoints, Shared};

/// Fills the application's port. Handlers hold the ports, so this must not hold the handlers.
pub struct WebSocketPort {
    shared: Weak<Shared>,
}

impl WebSocketPort {
    /// To these endpoints, for as long as they are.
    pub fn new(endpoints: &Endpoints) -> Self {
        Self { shared: Arc::downgrade(&endpoints.shared) }
    }

    fn endpoints(&self) -> Result<Endpoints, StoreError> {
        let gone = || StoreError::Unavailable("the instance stops".into());
        self.shared.upgrade().map(|shared| Endpoints { shared }).ok_or_else(gone)
    }
}

#[async_trait]
impl WebSockets for WebSocketPort {
    fn stats(&self) -> StatsUpdate {
        self.endpoints().map(|endpoints| endpoints.update()).unwrap_or_default()
    }

    async fn entries(&self) -> Result<Vec<EndpointEntry>, StoreError> {
        self.endpoints()?.entries().await
    }

    async fn define(&self, definition: Definition, by: &str) -> Result<(), DefineError> {
        self.endpoints()?.define(definition, by).await?;
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<(), DefineError> {
        Ok(self.endpoints()?.remove(name).await?)
    }
}

impl From<CustomError> for DefineError {
    fn from(error: CustomError) -> Self {
        match error {
            CustomError::Taken => Self::Taken,
            CustomError::Unknown => Self::Unknown,
            CustomError::TooMany => Self::TooMany,
            CustomError::Store(error) => Self::Store(error),
        }
    }
}
