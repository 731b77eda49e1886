//! Sockets die with their session, on every instance.
//!
//! An end is announced to all instances. What an announcement does not tell is found by looking, every
//! two seconds: sessions that expired, accounts that were changed by another program.

use std::{collections::HashSet, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{Channel, Pattern, Position, Since};

use super::{Announced, Sessions, endings::Ending};
use crate::{
    account::{Accounts, Standing},
    hub::{Batch, Draft, Hub, Listener},
    relay::Relay,
};

/// Where instances tell each other what is over.
const CHANNEL: &str = "controller:session:life:ended";
/// Where in the payload it is told.
const ENDING: &str = "ending";
/// How often the sessions behind open sockets are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Sessions looked at in one go.
const TOGETHER: usize = 512;
/// Ends announced together at most.
const ANNOUNCED_TOGETHER: usize = 64;

/// Watches the sockets of one instance. Ends with [`Watch::stop`].
pub struct Watch {
    tasks: TaskTracker,
    stop: CancellationToken,
}

struct Task {
    sessions: Sessions,
    accounts: Arc<Accounts>,
    hub: Hub,
    relay: Relay,
}

impl Watch {
    /// Starts announcing, hearing and looking.
    pub fn start(sessions: Sessions, accounts: Arc<Accounts>, announced: Announced, hub: Hub, relay: Relay) -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(stop.clone().run_until_cancelled_owned(announce(hub.clone(), announced)));
        let task = Task { sessions, accounts, hub, relay };
        tasks.spawn(stop.clone().run_until_cancelled_owned(task.run()));
        tasks.close();
        Self { tasks, stop }
    }

    /// Stops.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

async fn announce(hub: Hub, Announced(mut announced): Announced) {
    let Ok(channel) = Channel::parse(CHANNEL) else { return };
    let mut endings = Vec::new();
    while announced.recv_many(&mut endings, ANNOUNCED_TOGETHER).await > 0 {
        let drafts = endings.drain(..).filter_map(|ending| {
            let ending = serde_json::to_value(ending).ok()?;
            let payload = [(ENDING.to_owned(), ending)].into_iter().collect();
            Some(Draft { channel: channel.clone(), payload, uuid: None, username: String::new(), saved: None })
        });
        for published in hub.publish_all(drafts.collect()).await {
            if let Err(error) = published {
                tracing::debug!(%error, "the end of a session was not announced");
            }
        }
    }
}

impl Task {
    async fn run(self) {
        let Ok(pattern) = Pattern::parse(CHANNEL) else { return };
        let ear = Arc::new(Ear { sessions: self.sessions.clone() });
        let _joined = self.hub.subscribe(&pattern, self.hub.omit_own(), Since::Now, ear).await;
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = look.tick() => {}
                () = self.sessions.inner.ended.notified() => {}
            }
            self.look().await;
        }
    }

    /// Ends the sockets whose session is over, or whose user may do less than when they were opened.
    async fn look(&self) {
        let owners = self.relay.owners();
        let sessions: Vec<Arc<str>> =
            owners.iter().map(|owner| Arc::clone(&owner.session)).collect::<HashSet<_>>().into_iter().collect();
        for together in sessions.chunks(TOGETHER) {
            let over = self.sessions.over_among(together).await;
            self.relay.end_sockets(|owner| over.contains(&owner.session));
        }
        let users: Vec<String> =
            owners.iter().map(|owner| owner.user_id.clone()).collect::<HashSet<_>>().into_iter().collect();
        for together in users.chunks(TOGETHER) {
            let standings = self.accounts.standings(together).await;
            for (user, standing) in &standings {
                if *standing == Standing::Gone {
                    self.sessions.end_all(user).await;
                }
            }
            self.relay.end_sockets(|owner| match standings.get(&owner.user_id) {
                Some(Standing::Known { roles, sessions_from }) => {
                    owner.since < *sessions_from || owner.roles.iter().any(|role| !roles.contains(role))
                }
                Some(Standing::Gone) => true,
                Some(Standing::Unknown) | None => false,
            });
        }
    }
}

/// Hears what other instances ended.
struct Ear {
    sessions: Sessions,
}

impl Listener for Ear {
    fn deliver(&self, batch: &Batch) {
        for delivery in batch.deliveries() {
            let ending = delivery.message.data.get(ENDING).cloned().unwrap_or(Value::Null);
            match serde_json::from_value::<Ending>(ending) {
                Ok(ending) => self.sessions.inner.end_here(&ending),
                Err(error) => tracing::debug!(%error, "not news of a session"),
            }
        }
    }

    fn lost(&self, _: &Channel, _: Option<&Position>) {
        // What is over is found by looking.
        self.sessions.inner.ended.notify_one();
    }
}
