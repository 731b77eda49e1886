//! What the page asks the server for.

use leptos::{server, server_fn::codec::GetUrl};

use crate::{
    cluster::ClusterClient,
    error::Problem,
    websocket::{Auth, EndpointEntry, Limits},
};

/// Every endpoint, by name.
///
/// # Errors
///
/// When nobody is signed in, or no administrator, or the store does not answer.
#[server(prefix = "/fn", endpoint = "admin-endpoints", input = GetUrl, client = ClusterClient)]
pub async fn read_endpoints() -> Result<Vec<EndpointEntry>, Problem> {
    use crate::pages::{admin, request};

    admin::administrator().await?;
    request::ports()?.endpoints.entries().await.map_err(|_| Problem::Unavailable)
}

/// Makes an endpoint, or changes one an administrator made.
///
/// # Errors
///
/// When nobody is signed in, or no administrator, when it cannot be such an endpoint, or the store does
/// not answer.
#[server(prefix = "/fn", endpoint = "admin-endpoint-save", client = ClusterClient)]
pub async fn save_endpoint(
    /// Its name.
    name: String,
    /// For whom.
    auth: Auth,
    /// Roles, separated by spaces.
    #[server(default)]
    roles: String,
    /// What one socket may send.
    limits: Limits,
    /// Whether guests may send some types of messages only.
    #[server(default)]
    is_guarded: bool,
    /// Which, separated by spaces.
    #[server(default)]
    public_types: String,
) -> Result<(), Problem> {
    use crate::{
        components::notice::Notice,
        pages::{address, request},
        websocket::{Definition, Rule},
    };

    let public_types = is_guarded.then(|| words(&public_types));
    let rule = Rule { auth, roles: words(&roles), limits, public_types };
    let name = name.trim().to_owned();
    let saved = save(Definition { name, rule, updated_by: String::new(), updated_at: String::new() }).await;
    request::finish(saved, Notice::EndpointSaved, address::ADMIN_WEBSOCKET_ENDPOINTS)
}

/// Removes an endpoint an administrator made.
///
/// # Errors
///
/// When nobody is signed in, or no administrator, when there is none, or the store does not answer.
#[server(prefix = "/fn", endpoint = "admin-endpoint-delete", client = ClusterClient)]
pub async fn delete_endpoint(
    /// Its name.
    name: String,
) -> Result<(), Problem> {
    use crate::{
        components::notice::Notice,
        pages::{address, request},
    };

    request::finish(remove(&name).await, Notice::EndpointDeleted, address::ADMIN_WEBSOCKET_ENDPOINTS)
}

#[cfg(feature = "ssr")]
async fn save(definition: crate::websocket::Definition) -> Result<(), Problem> {
    use crate::pages::{admin, request};

    let user = admin::administrator().await?;
    definition.check()?;
    Ok(request::ports()?.endpoints.define(definition, &user.username).await?)
}

#[cfg(feature = "ssr")]
async fn remove(name: &str) -> Result<(), Problem> {
    use crate::pages::{admin, request};

    admin::administrator().await?;
    Ok(request::ports()?.endpoints.remove(name).await?)
}

#[cfg(feature = "ssr")]
fn words(text: &str) -> Vec<String> {
    text.split([' ', ',', '\n', '\t']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
