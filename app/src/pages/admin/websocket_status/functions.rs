//! What the page asks the server for.

use leptos::{server, server_fn::codec::GetUrl};

use crate::{cluster::ClusterClient, error::Problem, websocket::StatsUpdate};

/// How the endpoints are doing now, on all instances.
///
/// # Errors
///
/// When nobody is signed in, or no administrator.
#[server(prefix = "/fn", endpoint = "admin-websocket-stats", input = GetUrl, client = ClusterClient)]
pub async fn read_web_socket_stats() -> Result<StatsUpdate, Problem> {
    use crate::pages::{admin, request};

    admin::administrator().await?;
    Ok(request::ports()?.endpoints.stats())
}
