//! `jp-broadcast`: what browsers and the hub say to each other.
//!
//! A browser's socket is one task ([`connection`]) with one bounded queue ([`queue`]). The task reads
//! requests ([`protocol`]) and writes what the hub put into the queue; a broadcast's bytes are made
//! once ([`frames`]) and shared by all queues. Where no socket gets through, the same frames go out as
//! an event stream ([`events`]), whose requests are its address.

mod connection;
mod events;
mod frames;
mod owner;
mod protocol;
mod queue;
mod stats;

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use slab::Slab;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{
    ClusterFrame, Context, DrainFrame, Frame, LimitsFrame, ServerFrame, WelcomeFrame,
    limits::{MESSAGE_BYTES, MESSAGE_INTERVAL},
};

use crate::{
    clock,
    config::LimitsConfig,
    hub::{Hub, Link},
    socket::{Conversation, SocketStream, text_frame},
};
use connection::Connection;
pub use events::{Positions, StreamRequest};
pub use owner::Owner;
use protocol::Protocol;
pub use queue::{Outlet, Queue, QueueEnd};
pub use stats::RelayStats;

/// The path browsers connect to, as they are told in `connected`.
pub const PATH: &str = "/api/1/ws/jp-broadcast";

/// Over how long browsers spread their reconnects after a drain, at least and at most.
const DRAIN_SPREAD: RangeInclusive<Duration> = Duration::from_secs(2)..=Duration::from_secs(30);
/// How many of them the other instances are to take in a second.
const DRAINED_PER_SECOND: u64 = 1_000;
/// How long a browser that reads too slowly has to take the rest of a frame and the end behind it.
const LAST_FRAME_WITHIN: Duration = Duration::from_secs(5);

/// All browsers' sockets and event streams of one instance. Cheap to clone.
#[derive(Clone)]
pub struct Relay {
    shared: Arc<Shared>,
}

struct Shared {
    hub: Hub,
    limits: LimitsConfig,
    /// Sockets this instance takes in a second: after an outage everybody comes at once.
    admission: DefaultDirectRateLimiter,
    sockets: Mutex<Sockets>,
    stats: stats::Counters,
    tasks: TaskTracker,
    stop: CancellationToken,
}

#[derive(Default)]
struct Sockets {
    queues: Slab<Open>,
    by_address: HashMap<IpAddr, usize>,
}

/// One socket or stream.
struct Open {
    queue: Arc<dyn Outlet>,
    purpose: Use,
    /// `None` for a guest's.
    owner: Option<Arc<Owner>>,
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// The relay, whose browsers are told how the link is.
    Relay,
    /// Another endpoint.
    Endpoint,
}

/// Why there is no place for one more socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSeat {
    /// The address has as many as it may.
    Address,
    /// More come than this instance takes in a second.
    Rush,
}

/// A place for one more socket or event stream; given back when dropped.
pub struct Seat {
    shared: Arc<Shared>,
    address: IpAddr,
}

impl Relay {
    /// Starts telling browsers about the link.
    pub fn start(hub: Hub, limits: LimitsConfig) -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let each_second = NonZeroU32::new(limits.connects_per_second).unwrap_or(NonZeroU32::MIN);
        let admission = RateLimiter::direct(Quota::per_second(each_second));
        let relay = Self {
            shared: Arc::new(Shared {
                hub,
                limits,
                admission,
                sockets: Mutex::default(),
                stats: stats::Counters::default(),
                tasks,
                stop,
            }),
        };
        let watching = relay.clone();
        relay.shared.tasks.spawn(async move { watching.tell_link_changes().await });
        relay
    }

    /// A place for one more socket or stream from this address.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn seat(&self, address: IpAddr) -> Result<Seat, NoSeat> {
        self.shared.admission.check().map_err(|_| NoSeat::Rush)?;
        let mut sockets = self.shared.sockets();
        let count = sockets.by_address.entry(address).or_default();
        if *count >= self.shared.limits.sockets_per_address {
            return Err(NoSeat::Address);
        }
        *count += 1;
        drop(sockets);
        Ok(Seat { shared: Arc::clone(&self.shared), address })
    }

    /// Serves one browser until it, its session or the instance goes.
    pub async fn serve(&self, stream: SocketStream, uuid: Arc<str>, owner: Option<Owner>, seat: Seat) {
        let shared = Arc::clone(&self.shared);
        let queue = Queue::new(&shared.limits, shared.stats.too_large());
        let owner = owner.map(Arc::new);
        let username = owner.as_ref().map(|owner| owner.username.clone()).unwrap_or_default();
        let frames = shared.greeting(Arc::clone(&uuid), &username).into();
        let conversation = Protocol::new(Arc::clone(&shared), Arc::clone(&queue), uuid, username);
        self.run(Connection { shared, stream, queue, owner, conversation, purpose: Use::Relay, frames }, seat).await;
    }

    /// Lets a browser on another endpoint converse, beginning with `greeting`, until it, its session or
    /// the instance goes. It shares with the relay's browsers all that is not said: seats, pings, the end.
    pub async fn converse(
        &self,
        stream: SocketStream,
        queue: Arc<Queue<Bytes>>,
        owner: Option<Arc<Owner>>,
        greeting: Bytes,
        conversation: impl Conversation,
        seat: Seat,
    ) {
        let (shared, frames) = (Arc::clone(&self.shared), vec![greeting]);
        self.run(Connection { shared, stream, queue, owner, conversation, purpose: Use::Endpoint, frames }, seat).await;
    }

    /// A queue for [`Relay::converse`].
    pub fn queue(&self) -> Arc<Queue<Bytes>> {
        Queue::new(&self.shared.limits, self.shared.stats.too_large())
    }

    async fn run(&self, connection: Connection<impl Conversation>, seat: Seat) {
        self.shared.tasks.track_future(connection.run()).await;
        drop(seat);
    }

    /// Sockets and event streams open now.
    pub fn sockets(&self) -> usize {
        self.shared.sockets().queues.len()
    }

    /// Tells every browser to connect elsewhere and closes their sockets and streams.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        let drain = drain_frame(self.sockets());
        self.shared.sockets().queues.iter().for_each(|(_, open)| open.queue.finish(drain.clone(), QueueEnd::Drain));
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }

    async fn tell_link_changes(&self) {
        let mut link = self.shared.hub.lasting_link();
        loop {
            let changed = self.shared.stop.run_until_cancelled(link.changed()).await;
            let Some(Ok(())) = changed else { return };
            let cluster_mode = *link.borrow_and_update() == Link::Up;
            self.shared.tell_all(&Frame::news(ServerFrame::Cluster { data: ClusterFrame { cluster_mode } }));
        }
    }
}

impl Shared {
    fn sockets(&self) -> MutexGuard<'_, Sockets> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_all(&self, frame: &Frame) {
        let bytes = text_frame(&frame.to_json());
        for (_, open) in self.sockets().queues.iter().filter(|(_, open)| open.purpose == Use::Relay) {
            open.queue.tell(bytes.clone());
        }
    }

    /// Lets a queue have what all are told; one that comes when the instance stops is told that at once.
    fn enter(&self, queue: Arc<dyn Outlet>, owner: Option<Arc<Owner>>, purpose: Use) -> usize {
        self.stats.opened(purpose);
        let key = self.sockets().queues.insert(Open { queue: Arc::clone(&queue), purpose, owner });
        if self.stop.is_cancelled() {
            queue.finish(drain_frame(1), QueueEnd::Drain);
        }
        key
    }

    fn leave(&self, key: usize) {
        self.sockets().queues.remove(key);
    }

    /// The two frames every browser is met with.
    fn greeting(&self, uuid: Arc<str>, username: &str) -> [Bytes; 2] {
        let connected = ServerFrame::Connected {
            client_id: uuid,
            namespace: PATH.to_owned(),
            limits: self.limits_frame(),
            ctx: Context { username: username.to_owned() },
        };
        let data = WelcomeFrame {
            message: "Ready for subscriptions".to_owned(),
            timestamp: clock::now(),
            cluster_mode: Some(self.is_cluster_mode()),
        };
        [connected, ServerFrame::Welcome { data }].map(|frame| text_frame(&Frame::news(frame).to_json()))
    }

    fn is_cluster_mode(&self) -> bool {
        *self.hub.lasting_link().borrow() == Link::Up
    }

    fn limits_frame(&self) -> LimitsFrame {
        LimitsFrame {
            max_size: MESSAGE_BYTES,
            interval: u64::try_from(MESSAGE_INTERVAL.as_millis()).unwrap_or_default(),
            max_messages: self.limits.socket_messages,
        }
    }
}

/// The last frame of a browser when its instance, with so many sockets, stops.
fn drain_frame(sockets: usize) -> Bytes {
    let sockets = u64::try_from(sockets).unwrap_or(u64::MAX);
    let spread = Duration::from_millis(sockets.saturating_mul(1_000) / DRAINED_PER_SECOND);
    let spread = spread.clamp(*DRAIN_SPREAD.start(), *DRAIN_SPREAD.end());
    let spread_ms = u64::try_from(spread.as_millis()).unwrap_or_default();
    let drain = Frame::news(ServerFrame::Drain { data: DrainFrame { retry_after_ms: 0, spread_ms } });
    text_frame(&drain.to_json())
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut sockets = self.shared.sockets();
        if let Some(count) = sockets.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                sockets.by_address.remove(&self.address);
            }
        }
    }
}
