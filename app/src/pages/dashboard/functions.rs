//! What the dashboard asks the server for.

use leptos::{server, server_fn::codec::GetUrl};

use crate::{cluster::ClusterClient, error::Problem, observatory::Dashboard};

/// What goes on.
///
/// # Errors
///
/// When the server cannot be reached.
#[server(prefix = "/fn", endpoint = "dashboard", input = GetUrl, client = ClusterClient)]
pub async fn read_dashboard() -> Result<Dashboard, Problem> {
    Ok(crate::pages::request::ports()?.observatory.dashboard().await)
}
