//! What the observatory asks the server for.

use leptos::{server, server_fn::codec::GetUrl};

use crate::{
    cluster::ClusterClient,
    error::Problem,
    observatory::{ClusterView, TraceView},
};

/// All instances, for administrators.
///
/// # Errors
///
/// When nobody is signed in, or no administrator.
#[server(prefix = "/fn", endpoint = "cluster", input = GetUrl, client = ClusterClient)]
pub async fn read_cluster() -> Result<ClusterView, Problem> {
    use crate::pages::{admin::administrator, request};

    administrator().await?;
    Ok(request::ports()?.observatory.cluster().await)
}

/// Publishes a message and says where it came by.
///
/// # Errors
///
/// When nobody is signed in, or no administrator.
#[server(prefix = "/fn", endpoint = "cluster-trace", client = ClusterClient)]
pub async fn trace_message() -> Result<TraceView, Problem> {
    use crate::pages::{admin::administrator, request};

    administrator().await?;
    Ok(request::ports()?.observatory.trace().await)
}
