//! Small texts on Redis channels beside the broadcasts: no log, no order, perhaps lost.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use fred::types::Message as Received;
use tokio::sync::broadcast;

use super::{BusError, Keys, connection::Kind};

/// Texts of one channel that wait for whoever listens; beyond, the listener learns that it missed some.
const WAITING: usize = 1_024;

/// What is heard beside the broadcasts.
#[derive(Default)]
pub(super) struct Signals {
    heard: RwLock<HashMap<String, broadcast::Sender<String>>>,
}

impl Signals {
    /// Every channel that somebody wants.
    pub(super) fn channels(&self) -> Vec<String> {
        self.heard.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Hands on what is a signal; whether it was one.
    pub(super) fn take(&self, received: &Received) -> bool {
        let heard = self.heard.read().unwrap_or_else(PoisonError::into_inner);
        let Some(listeners) = heard.get(&*received.channel) else { return false };
        if let Some(text) = received.value.as_str() {
            // Nobody listens any more, or somebody does.
            let _ = listeners.send(text.into_owned());
        }
        true
    }

    fn listen(&self, channel: String) -> broadcast::Receiver<String> {
        let mut heard = self.heard.write().unwrap_or_else(PoisonError::into_inner);
        heard.entry(channel).or_insert_with(|| broadcast::channel(WAITING).0).subscribe()
    }
}

impl Keys {
    /// Hears a channel of this site from now on, for as long as the instance runs; while there is no link,
    /// nothing. What comes faster than it is taken is lost: the receiver says so.
    pub async fn listen(&self, channel: &str) -> broadcast::Receiver<String> {
        let name = self.name(channel);
        // A link that is being brought up subscribes to what is noted, or is up before this goes on.
        let _held = self.shared().joined.lock().await;
        let listener = self.shared().signals.listen(name.clone());
        if let Ok(connection) = self.shared().connection()
            && let Err(error) = connection.hear(name, Kind::Channel).await
        {
            // The link is about to be lost; the next one subscribes.
            tracing::debug!(%error, "cannot hear a signal yet");
        }
        listener
    }

    /// Says something on a channel of this site, to whoever hears it now.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn signal(&self, channel: &str, text: &str) -> Result<(), BusError> {
        use fred::prelude::{PubsubInterface, Value};
        let connection = self.shared().connection()?;
        super::keys::within(connection.commands().publish::<Value, _, _>(self.name(channel), text)).await.map(drop)
    }
}
