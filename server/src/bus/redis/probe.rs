//! Writes a small key through each primary: the link is up while Redis takes that.

use std::time::Instant;

use fred::{
    prelude::{ClusterInterface, Expiration, KeysInterface, Server, Value},
    types::cluster::ClusterRouting,
    util::redis_keyslot,
};
use futures_util::future::join_all;

use super::{BusError, Shared, connection::Connection, heartbeat::SILENT_FOR, slots::server_of};
use crate::bus::OutageCause;

/// How long a probe lives, in seconds.
const PROBE_SECONDS: i64 = 3;
/// Tags tried until one falls into a slot of a primary: far more than a cluster has slots.
const TAGS: u32 = 200_000;

/// What became of one round of probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probed {
    /// Every primary took it.
    Written,
    /// One of them says why it takes nothing.
    Refused(OutageCause),
    /// One of them did not answer, or not in words that concern all writes.
    Unknown,
}

/// The keys of one link's probes.
#[derive(Default)]
pub(super) struct Probes {
    /// Each primary of a cluster with a key of its own, for the slots it had.
    keys: Vec<(Server, String)>,
    written: Option<Instant>,
}

impl Probes {
    /// Writes once through each primary.
    pub(super) async fn probe(&mut self, shared: &Shared, connection: &Connection) -> Probed {
        let keys = self.keys(shared, connection);
        let client = connection.commands();
        let writes = keys.into_iter().map(|key| async move {
            let expires = Some(Expiration::EX(PROBE_SECONDS));
            client.set::<Value, _, _>(key, "", expires, None, false).await.map_err(BusError::from)
        });
        let mut probed = Probed::Written;
        for written in join_all(writes).await {
            match written.map_err(|error| error.refusal()) {
                Ok(_) => {}
                Err(Some(cause)) => return Probed::Refused(cause),
                Err(None) => probed = Probed::Unknown,
            }
        }
        if probed == Probed::Written {
            self.written = Some(Instant::now());
        }
        probed
    }

    /// Whether nothing was written for longer than the heart may be silent.
    pub(super) fn is_overdue(&mut self) -> bool {
        self.written.get_or_insert_with(Instant::now).elapsed() > SILENT_FOR
    }

    fn keys(&mut self, shared: &Shared, connection: &Connection) -> Vec<String> {
        let name = format!("{}probe:{}", shared.prefix, shared.token);
        let client = connection.commands();
        let Some(state) = client.cached_cluster_state().filter(|_| connection.is_clustered()) else {
            return vec![name];
        };
        let nodes = state.unique_primary_nodes();
        self.keys.retain(|(node, key)| server_of(&state, redis_keyslot(key.as_bytes())) == Some(node));
        for node in nodes {
            if self.keys.iter().all(|(known, _)| *known != node)
                && let Some(key) = key_of(&name, &node, &state)
            {
                self.keys.push((node, key));
            }
        }
        self.keys.iter().map(|(_, key)| key.clone()).collect()
    }
}

/// A key in a slot of this primary.
fn key_of(name: &str, node: &Server, state: &ClusterRouting) -> Option<String> {
    let slot = |tag: u32| redis_keyslot(tag.to_string().as_bytes());
    let tag = (0..TAGS).find(|tag| server_of(state, slot(*tag)) == Some(node))?;
    Some(format!("{name}:{{{tag}}}"))
}
