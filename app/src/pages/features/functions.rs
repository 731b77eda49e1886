//! What the page of features asks the server for.

use leptos::{server, server_fn::codec::GetUrl};

use crate::{cluster::ClusterClient, error::Problem, feature::Feature};

/// Every feature, for administrators.
///
/// # Errors
///
/// When nobody is signed in, or no administrator, or the store does not answer.
#[server(prefix = "/fn", endpoint = "features", input = GetUrl, client = ClusterClient)]
pub async fn list_features() -> Result<Vec<Feature>, Problem> {
    use crate::pages::{admin::administrator, request};

    administrator().await?;
    request::ports()?.features.all().await.map_err(|_| Problem::Unavailable)
}

/// Switches a feature on every instance and every open page.
///
/// # Errors
///
/// When nobody is signed in, or no administrator, it is no name, or the store does not answer.
#[server(prefix = "/fn", endpoint = "feature-switch", client = ClusterClient)]
pub async fn switch_feature(
    /// Of the feature.
    name: String,
    /// `on` to switch it on; anything else switches it off.
    #[server(default)]
    to: String,
) -> Result<(), Problem> {
    use crate::{
        components::notice::Notice,
        pages::{address, request},
    };

    let switched = switch(name, &to).await;
    request::finish(switched, Notice::Switched, address::FEATURES)
}

#[cfg(feature = "ssr")]
async fn switch(name: String, to: &str) -> Result<(), Problem> {
    use crate::{
        pages::{admin::administrator, request},
        ports::StoreError,
    };

    administrator().await?;
    let feature = Feature { name: name.trim().to_owned(), enabled: to == "on" };
    request::ports()?.features.switch(&feature).await.map_err(|error| match error {
        StoreError::InvalidId => Problem::FeatureName,
        _ => Problem::Unavailable,
    })
}
