//! When this process last heard itself through each node.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use fred::prelude::Server;
use tokio::sync::Notify;

/// How long it may be silent before the link counts as down.
pub(super) const SILENT_FOR: Duration = Duration::from_secs(3);

/// When the heart was last heard, by the node it was sent through.
#[derive(Default)]
pub(super) struct Heart {
    heard: Mutex<HashMap<String, Instant>>,
    news: Notify,
}

impl Heart {
    /// Notes a beat that was sent through `node`.
    pub(super) fn beat(&self, node: &str) {
        self.heard().insert(node.to_owned(), Instant::now());
        self.news.notify_one();
    }

    /// Waits until it was heard through all these nodes.
    pub(super) async fn wait_for(&self, nodes: &[Server]) {
        loop {
            let is_heard = {
                let heard = self.heard();
                !heard.is_empty() && nodes.iter().all(|node| heard.contains_key(&node.to_string()))
            };
            if is_heard {
                return;
            }
            self.news.notified().await;
        }
    }

    /// The node through which nothing was heard for too long, `None` for the only one there is. One that is new is
    /// given its time.
    pub(super) fn silent(&self, nodes: &[Server]) -> Option<Option<Server>> {
        let mut heard = self.heard();
        let names: Vec<String> =
            if nodes.is_empty() { vec![String::new()] } else { nodes.iter().map(Server::to_string).collect() };
        heard.retain(|name, _| names.contains(name));
        let now = Instant::now();
        let silent = names
            .into_iter()
            .position(|name| now.saturating_duration_since(*heard.entry(name).or_insert(now)) > SILENT_FOR)?;
        Some(nodes.get(silent).cloned())
    }

    fn heard(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
