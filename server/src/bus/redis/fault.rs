//! Breaking the link on purpose, so that it can be seen that nothing is lost.

use std::time::Duration;

use fred::{interfaces::ClientInterface, types::client::ClientPauseKind};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{BusError, RedisBus};

/// Until when there is to be no link.
pub(super) struct Cut(watch::Sender<Instant>);

impl Default for Cut {
    fn default() -> Self {
        Self(watch::Sender::new(Instant::now()))
    }
}

impl Cut {
    /// Waits until somebody cuts.
    pub(super) async fn begun(&self) {
        // Its sender is here, so it cannot end.
        let _ = self.0.subscribe().wait_for(|until| *until > Instant::now()).await;
    }

    /// Waits until a link may be made.
    pub(super) async fn over(&self) {
        let until = *self.0.borrow();
        sleep_until(until).await;
    }
}

impl RedisBus {
    /// Ends the link to Redis now and makes none for this time.
    pub fn cut(&self, time: Duration) {
        self.shared.cut.0.send_replace(Instant::now() + time);
    }

    /// Makes Redis answer nobody for this time; in a cluster, one of its nodes.
    ///
    /// # Errors
    ///
    /// When the link is down, and when this user of Redis may not.
    pub async fn pause(&self, time: Duration) -> Result<(), BusError> {
        let milliseconds = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let connection = self.shared.connection()?;
        Ok(connection.commands().client_pause(milliseconds, Some(ClientPauseKind::All)).await?)
    }
}
