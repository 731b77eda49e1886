//! What the fault panel asks the server for.

use leptos::{server, server_fn::codec::GetUrl};

use crate::{cluster::ClusterClient, error::Problem, fault::Fault};

/// Whether anything may be broken here: only on a developer's own machine.
///
/// # Errors
///
/// When the instance cannot be reached.
#[allow(clippy::unused_async, reason = "every server function is asynchronous")]
#[server(prefix = "/fn", endpoint = "faults", input = GetUrl, client = ClusterClient)]
pub async fn may_cause_faults() -> Result<bool, Problem> {
    Ok(port().is_ok())
}

/// Breaks something.
///
/// # Errors
///
/// When nothing may be broken here, and when there is nothing of that kind.
#[server(prefix = "/fn", endpoint = "cause-fault", client = ClusterClient)]
pub async fn cause_fault(
    /// What breaks.
    fault: Fault,
) -> Result<(), Problem> {
    use crate::error::set_status;

    let caused = match port() {
        Ok(faults) => faults.cause(fault).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    caused.inspect_err(|problem| set_status(*problem))
}

/// The port, for who asks directly: what came through a proxy may come from anywhere.
#[cfg(feature = "ssr")]
fn port() -> Result<std::sync::Arc<dyn crate::ports::Faults>, Problem> {
    use http::request::Parts;

    let parts = leptos::prelude::use_context::<Parts>().ok_or(Problem::Internal)?;
    let is_forwarded =
        ["forwarded", "x-forwarded-for", "x-real-ip", "via"].iter().any(|name| parts.headers.contains_key(*name));
    crate::pages::request::ports()?.faults.filter(|_| !is_forwarded).ok_or(Problem::FaultsOff)
}
