//! Broadcasts for pages and server functions: the hub behind [`app::ports::Cluster`].

use std::{sync::Arc, time::Instant};

use app::ports::{Callback, CallbackOptions, ClusterStatus, OwnMessages, PublishError, Publisher};
use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{Channel, Layer, Pattern, Payload, Position, Receipt, Since};

use crate::{
    bus::{Link, OutageCause},
    config::RedisMode,
    hub::{self, Batch, Draft, Hub, Listener, Omit},
    relay::Relay,
};

/// Announcements that wait to be published; who announces more waits.
const ANNOUNCEMENTS: usize = 4_096;
/// Announcements that go out together at most.
const ANNOUNCED_TOGETHER: usize = 64;

/// What pages know of the cluster.
pub struct ClusterPort {
    hub: Hub,
    relay: Relay,
    redis_mode: RedisMode,
    started_at: Instant,
    announcements: mpsc::Sender<Draft>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl ClusterPort {
    /// Starts publishing announcements, one behind the other.
    pub fn start(hub: Hub, relay: Relay, redis_mode: RedisMode, started_at: Instant) -> Self {
        let (announcements, mut waiting) = mpsc::channel::<Draft>(ANNOUNCEMENTS);
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let (publisher, stopping) = (hub.clone(), stop.clone());
        tasks.spawn(async move {
            let mut drafts = Vec::new();
            loop {
                tokio::select! {
                    received = waiting.recv_many(&mut drafts, ANNOUNCED_TOGETHER) => if received == 0 { return },
                    () = stopping.cancelled(), if !waiting.is_closed() => {
                        waiting.close();
                        continue;
                    }
                }
                let channels: Vec<_> = drafts.iter().map(|draft| draft.channel.clone()).collect();
                let results = publisher.publish_all(std::mem::take(&mut drafts)).await;
                for (channel, result) in channels.iter().zip(results) {
                    if let Err(error) = result {
                        tracing::error!(%channel, %error, "an announcement was not published");
                    }
                }
            }
        });
        tasks.close();
        Self { hub, relay, redis_mode, started_at, announcements, tasks, stop }
    }

    /// Takes no more announcements and publishes those that are queued.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

#[async_trait]
impl app::ports::Cluster for ClusterPort {
    async fn publish_broadcast(
        &self,
        channel: &Channel,
        payload: Payload,
        publisher: Publisher,
    ) -> Result<Receipt, PublishError> {
        self.hub.publish(draft(channel, payload, publisher)).await.map_err(|error| match error {
            hub::PublishError::TooLarge => PublishError::TooLarge,
            hub::PublishError::Unfit(why) => PublishError::Unfit(why),
            hub::PublishError::Stopping => PublishError::Stopping,
        })
    }

    async fn announce(&self, channel: &Channel, payload: Payload, publisher: Publisher) {
        if self.announcements.send(draft(channel, payload, publisher)).await.is_err() {
            tracing::error!(%channel, "an announcement came after the stop");
        }
    }

    fn register_broadcast_callback(&self, pattern: Pattern, options: CallbackOptions, callback: Callback) {
        let own = match (options.own, pattern.layer()) {
            (OwnMessages::Hear, _) | (OwnMessages::ByLayer, Layer::View) => Omit::Nothing,
            (OwnMessages::Omit, _) | (OwnMessages::ByLayer, Layer::Model | Layer::Controller) => self.hub.omit_own(),
        };
        let hub = self.hub.clone();
        self.tasks.spawn(async move {
            let listener = Arc::new(CallbackListener { callback });
            let joined = hub.subscribe(&pattern, own, Since::Now, listener).await;
            // For as long as the instance runs.
            std::mem::forget(joined.subscription);
        });
    }

    fn is_redis_available(&self) -> bool {
        *self.hub.link().borrow() == Link::Up
    }

    async fn position(&self, channel: &Channel) -> Option<Position> {
        self.hub.position(channel).await
    }

    fn status(&self) -> ClusterStatus {
        let link = *self.hub.lasting_link().borrow();
        ClusterStatus {
            instance_id: Arc::clone(self.hub.instance_id()),
            is_redis_available: link == Link::Up,
            outage: self.hub.outage(link).map(OutageCause::sentence),
            redis_mode: self.redis_mode.as_str(),
            sockets: self.relay.sockets(),
            uptime_seconds: self.started_at.elapsed().as_secs(),
        }
    }
}

/// A site owner's function as a listener.
struct CallbackListener {
    callback: Callback,
}

impl Listener for CallbackListener {
    fn deliver(&self, batch: &Batch) {
        for delivery in batch.deliveries() {
            (self.callback)(&delivery.message);
        }
    }

    fn lost(&self, channel: &Channel, _position: Option<&Position>) {
        tracing::warn!(%channel, "a callback missed messages that cannot be had any more");
    }
}

fn draft(channel: &Channel, payload: Payload, publisher: Publisher) -> Draft {
    Draft { channel: channel.clone(), payload, uuid: publisher.uuid, username: publisher.username, saved: None }
}
