//! What pages show of the whole cluster, and what administrators change while they are open.

use async_trait::async_trait;

use super::StoreError;
use crate::{
    feature::Feature,
    observatory::{ClusterView, Dashboard, TraceView},
    site::{SiteSettings, SiteStanding},
};

/// The whole cluster, as any of its instances sees it.
#[async_trait]
pub trait Observatory: Send + Sync + 'static {
    /// All instances, for administrators.
    async fn cluster(&self) -> ClusterView;
    /// Publishes a message and follows it to every instance; takes a second at most.
    async fn trace(&self) -> TraceView;
    /// What goes on, for everybody.
    async fn dashboard(&self) -> Dashboard;
}

/// Feature flags.
#[async_trait]
pub trait Features: Send + Sync + 'static {
    /// Whether a feature is on; one that nobody ever set is off.
    async fn is_enabled(&self, name: &str) -> bool;
    /// Every feature that was ever set, by name.
    async fn all(&self) -> Result<Vec<Feature>, StoreError>;
    /// Switches a feature, on every instance; `InvalidId` when it is no name.
    async fn switch(&self, feature: &Feature) -> Result<(), StoreError>;
}

/// What the site calls itself.
#[async_trait]
pub trait Site: Send + Sync + 'static {
    /// Title and banner as this instance knows them, at once.
    fn standing(&self) -> SiteStanding;
    /// Saves both, for every instance.
    async fn save(&self, site: &SiteSettings) -> Result<(), StoreError>;
}
