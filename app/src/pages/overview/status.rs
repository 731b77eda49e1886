//! How the instance is, as its page is told.

use leptos::{server, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::{cluster::ClusterClient, error::Problem};

/// What a visitor may know of the instance that serves them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceStatus {
    /// Its name in the cluster.
    pub instance_id: String,
    /// Whether other instances hear it now.
    pub is_redis_available: bool,
    /// Why they do not, when they should.
    pub outage: Option<String>,
    /// `single`, `cluster`, `sentinel` or `none`.
    pub redis_mode: String,
    /// Browsers connected to it.
    pub sockets: usize,
    /// Whole seconds since its start.
    pub uptime_seconds: u64,
}

/// How the instance that answers is.
///
/// # Errors
///
/// When it cannot be reached.
#[allow(clippy::unused_async, reason = "every server function is asynchronous")]
#[server(prefix = "/fn", endpoint = "instance-status", input = GetUrl, client = ClusterClient)]
pub async fn read_status() -> Result<InstanceStatus, Problem> {
    let status = crate::pages::request::ports()?.cluster.status();
    Ok(InstanceStatus {
        instance_id: status.instance_id.to_string(),
        is_redis_available: status.is_redis_available,
        outage: status.outage.map(str::to_owned),
        redis_mode: status.redis_mode.to_owned(),
        sockets: status.sockets,
        uptime_seconds: status.uptime_seconds,
    })
}
