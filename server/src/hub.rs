//! This instance's listeners, and what they get: every message of a channel once, in the log's order.
//!
//! One task ([`deliver`]) takes what the bus brings, so that order needs no thought elsewhere. A
//! subscription joins the bus with the first listener of its pattern and leaves it a while after the
//! last. While the link is down, and while Redis refuses a channel, what is published is delivered here and kept in the
//! [`retry_buffer`].

mod backlog;
mod cache;
mod channel;
mod deliver;
mod delivery;
mod flush;
mod local_deliveries;
mod policy;
mod publish;
mod registry;
mod retry_buffer;
mod stats;
mod subscribe;
mod wildcard;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc, watch},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;
use wire::{Channel, Message, Position};

use crate::{
    bus::{Bus, Inbox},
    config::ChannelConfig,
    identity::InstanceId,
};

pub use crate::bus::{FOR_TOPICS, Keys, Link, OutageCause, Put, Told, TopicInbox, Topics};
pub use delivery::{Batch, Delivery, Listener, Omit};
pub use publish::{Draft, PublishError, Route, Saved};
pub use stats::{HubStats, LAYERS};
pub use subscribe::{Joined, Subscription};

use cache::Cache;
use deliver::Task;
use flush::RefusalLog;
use policy::Policies;
use registry::Registry;
use retry_buffer::RetryBuffer;

/// How long a channel is heard after its last listener left: a browser that changes pages comes back.
const LINGER: Duration = Duration::from_secs(30);

/// How long a page waits for the position of a channel: far more than a Redis that is well takes, far less
/// than a visitor notices. A page without a position reads its data again in the browser.
const POSITION_WITHIN: Duration = Duration::from_millis(30);

/// The listeners of one instance. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    bus: Arc<dyn Bus>,
    instance_id: InstanceId,
    /// Names this process in what it publishes.
    source: Arc<str>,
    registry: Mutex<Registry>,
    /// To the delivering task, from the hub itself.
    tasks: mpsc::Sender<Task>,
    /// Numbers deliveries; a listener that joined behind a number did not get that delivery.
    sequence: AtomicU64,
    retry_buffer: Mutex<RetryBuffer>,
    policies: Policies,
    /// Bounds what is kept for browsers that come back.
    cache: Cache,
    stats: stats::Counters,
    /// Something waits in the retry buffer, or the link came back.
    flush_wanted: Notify,
    /// A channel was flushed, or refused: its new messages wait for this.
    flushed: Notify,
    refusals: RefusalLog,
    link: watch::Receiver<Link>,
    background: TaskTracker,
    stop: CancellationToken,
}

/// Bounds of what is kept for the other instances while Redis does not take it.
#[derive(Clone, Copy, Debug)]
pub struct OutboxLimits {
    /// Messages; the oldest fall out first.
    pub messages: usize,
    /// Bytes; the oldest fall out first.
    pub bytes: usize,
}

impl Hub {
    /// Starts delivering what arrives in `inbox`.
    pub fn start(
        bus: Arc<dyn Bus>,
        inbox: Inbox,
        instance_id: InstanceId,
        limits: OutboxLimits,
        channels: &[ChannelConfig],
    ) -> Self {
        let (tasks, task_inbox) = mpsc::channel(1_024);
        let link = bus.link();
        let shared = Arc::new(Shared {
            bus,
            instance_id,
            source: source(),
            registry: Mutex::default(),
            tasks,
            sequence: AtomicU64::new(1),
            retry_buffer: Mutex::new(RetryBuffer::new(limits)),
            policies: Policies::new(channels),
            cache: Cache::default(),
            stats: stats::Counters::default(),
            flush_wanted: Notify::new(),
            flushed: Notify::new(),
            refusals: RefusalLog::default(),
            link,
            background: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        shared.background.spawn(deliver::run(Arc::clone(&shared), inbox, task_inbox));
        let flushing = Arc::clone(&shared);
        let stop = shared.stop.clone();
        shared.background.spawn(async move { stop.run_until_cancelled(flushing.keep_flushing()).await });
        Self { shared }
    }

    /// The claimed id of this instance as it is now. It changes when another process turns out to have it.
    pub fn instance_id(&self) -> &Arc<str> {
        self.shared.instance_id.current()
    }

    /// The same for a part that follows its changes by itself.
    pub fn identity(&self) -> &InstanceId {
        &self.shared.instance_id
    }

    /// Names this process: what it published carries it, whatever its id was then.
    pub fn source(&self) -> &Arc<str> {
        &self.shared.source
    }

    /// Leaves out what was published through this instance.
    pub fn omit_own(&self) -> Omit {
        Omit::Source(Arc::clone(&self.shared.source))
    }

    /// How this instance is linked to the others, now and from now on.
    pub fn link(&self) -> watch::Receiver<Link> {
        self.shared.link.clone()
    }

    /// The same without states that do not last: for browsers and pages.
    pub fn lasting_link(&self) -> watch::Receiver<Link> {
        self.shared.bus.lasting_link()
    }

    /// Why there is no link, for who found it down.
    pub fn outage(&self, link: Link) -> Option<OutageCause> {
        (link == Link::Down).then(|| self.shared.bus.last_outage().unwrap_or(OutageCause::Unreachable))
    }

    /// How often connections to Redis were attempted.
    pub fn connects(&self) -> u64 {
        self.shared.bus.connects()
    }

    /// Where the channel's log ends now; `None` while no log can be reached, and soon when Redis hangs.
    pub async fn position(&self, channel: &Channel) -> Option<Position> {
        let heard = self.shared.registry().channel(channel).filter(|entry| entry.joined.initialized()).map(Arc::clone);
        if let Some(position) = heard.and_then(|entry| entry.position()) {
            return Some(position);
        }
        timeout(POSITION_WITHIN, self.shared.bus.position(channel)).await.ok()?.ok()
    }

    /// Stops delivering. Waits for what is under way.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.background.close();
        self.shared.background.wait().await;
    }
}

impl Shared {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn retry_buffer(&self) -> MutexGuard<'_, RetryBuffer> {
        self.retry_buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message on its way to listeners, with the next number.
    fn delivery(&self, message: Arc<Message>) -> Arc<Delivery> {
        self.numbered(message, self.next_sequence())
    }

    fn numbered(&self, message: Arc<Message>, sequence: u64) -> Arc<Delivery> {
        let topic = self.policies.topic(&message);
        let share = self.cache.share(&message);
        Delivery::new(message, sequence, topic, share)
    }

    fn next_sequence(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }
}

/// Names a process among all that may ever share its Redis.
fn source() -> Arc<str> {
    let (_, random) = Uuid::new_v4().as_u64_pair();
    format!("{random:016x}").into()
}
