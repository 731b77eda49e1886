//! The relay as Server-Sent Events, for networks that let no WebSocket through.
//!
//! A stream is one task with one bounded queue, as a socket is. What its browser wants stands in the
//! request; every frame is the data of an event, and the event's id says where the stream stands in
//! each of its channels ([`Positions`]): whoever repeats it, to any instance, gets what followed.

mod event;
mod positions;

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at, sleep},
};
use uuid::Uuid;
use wire::{Frame, Pattern, ServerFrame, SubscribedFrame};

use super::{
    DRAIN_SPREAD, LAST_FRAME_WITHIN, Owner, Relay, Seat, Shared, Use,
    queue::{Item, Queue, QueueEnd},
};
use crate::{
    clock,
    hub::{Joined, Omit, Subscription},
    socket::{Line, text_frame},
};
use event::{Event, Writer};
pub use positions::Positions;

/// How often something is sent, so that nobody on the way takes the stream for dead.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// How long a browser waits at least before it comes back to a stream that broke off.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// Subscriptions made at once; their answers keep the order of the request.
const JOINED_AT_ONCE: usize = 8;
/// Bytes handed on at once, and those of one more event.
const CHUNK_BYTES: usize = 64 * 1024;

/// What a browser asks for with the address of a stream.
#[derive(Debug)]
pub struct StreamRequest {
    /// Channels and patterns in the order of the address, each once; for browsers all of them.
    pub patterns: Vec<Pattern>,
    /// From where each of them begins.
    pub positions: Positions,
    /// Whether the tab's own messages are left out.
    pub omit: Omit,
    /// Names the tab.
    pub uuid: Arc<str>,
    /// Whose stream it is; `None` for a guest's.
    pub owner: Option<Arc<Owner>>,
}

/// The task that owns a stream.
struct Stream {
    shared: Arc<Shared>,
    queue: Arc<Queue<Event>>,
    writer: Writer,
    chunks: mpsc::Sender<Bytes>,
}

/// Why a stream ends.
enum End {
    /// The browser is gone.
    Gone,
    /// It does not read.
    Stalled,
    /// It is to come back, here or elsewhere.
    Over,
}

impl Relay {
    /// Serves one browser until it or the instance goes. The answer's bytes come out as the browser
    /// takes them; `line` is the connection they go over, which is ended when it takes them too slowly.
    pub fn stream(&self, request: StreamRequest, seat: Seat, line: Line) -> mpsc::Receiver<Bytes> {
        // One chunk waits here, one is being written; the others wait in the queue.
        let (chunks, taken) = mpsc::channel(1);
        let stream = Stream {
            shared: Arc::clone(&self.shared),
            queue: Queue::new(&self.shared.limits, self.shared.stats.too_large()),
            writer: Writer::new(&request.patterns, request.positions.clone()),
            chunks,
        };
        self.shared.tasks.spawn(async move {
            stream.run(request, line).await;
            drop(seat);
        });
        taken
    }
}

impl Stream {
    async fn run(mut self, request: StreamRequest, line: Line) {
        let key = self.shared.enter(self.queue.clone(), request.owner.clone(), Use::Relay);
        let Err(end) = self.converse(request).await;
        self.shared.leave(key);
        // The end of the answer.
        drop(self.chunks);
        match end {
            End::Gone => {}
            End::Stalled => line.cut(),
            End::Over => line.end_within(LAST_FRAME_WITHIN).await,
        }
    }

    async fn converse(&mut self, request: StreamRequest) -> Result<Infallible, End> {
        // Browsers of an instance that crashed come back at different times.
        self.writer.retry(RETRY_AFTER + some_of(*DRAIN_SPREAD.start()));
        let username = request.owner.as_ref().map(|owner| owner.username.as_str()).unwrap_or_default();
        for frame in self.shared.greeting(Arc::clone(&request.uuid), username) {
            self.writer.event(&Event::news(frame));
        }
        self.send().await?;
        let _subscriptions = self.subscribe(request).await?;
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT_EVERY, HEARTBEAT_EVERY);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut events = Vec::new();
        loop {
            tokio::select! {
                biased;
                () = self.chunks.closed() => return Err(End::Gone),
                taken = self.queue.take(&mut events) => match taken {
                    Ok(()) => self.pass_on(&mut events).await?,
                    Err(QueueEnd::Overflow) => {
                        self.shared.stats.overflowed(Use::Relay);
                        return Err(End::Over);
                    }
                    Err(QueueEnd::SessionOver | QueueEnd::Forbidden) => {
                        self.pass_on(&mut events).await?;
                        return Err(End::Over);
                    }
                    Err(QueueEnd::Drain) => return Err(self.drain(events).await.err().unwrap_or(End::Over)),
                },
                _ = heartbeat.tick() => {
                    self.writer.heartbeat();
                    self.send().await?;
                }
            }
        }
    }

    /// Begins to listen to everything, and says of each channel what was missed. What comes meanwhile
    /// waits in the queue, so that it lies behind.
    async fn subscribe(&mut self, request: StreamRequest) -> Result<Vec<Subscription>, End> {
        let StreamRequest { patterns, positions, omit, .. } = request;
        let mut subscriptions = Vec::with_capacity(patterns.len());
        let joining: Vec<_> = patterns
            .into_iter()
            .enumerate()
            .map(|(place, pattern)| {
                let (hub, omit, since) = (self.shared.hub.clone(), omit.clone(), positions.since(place));
                let queue = Arc::clone(&self.queue);
                async move {
                    let joined = hub.subscribe(&pattern, omit, since, queue).await;
                    (place, pattern, joined)
                }
            })
            .collect();
        let mut joining = stream::iter(joining).buffered(JOINED_AT_ONCE);
        while let Some((place, pattern, joined)) = joining.next().await {
            // A wildcard cannot resume here: its positions do not fit into an event's id.
            let Joined { subscription, position, positions: _, is_recovered, missed } = joined;
            subscriptions.push(subscription);
            if !is_recovered {
                self.writer.positions().stand(place, position.clone());
            }
            let data = SubscribedFrame {
                channel: pattern.as_str().to_owned(),
                timestamp: clock::now(),
                position: position.clone(),
                positions: None,
                recovered: is_recovered,
            };
            let subscribed = Frame::news(ServerFrame::Subscribed { data });
            self.writer.event(&Event::news(text_frame(&subscribed.to_json())));
            let mut missed: Vec<_> = missed.iter().map(Event::message).collect();
            self.pass_on(&mut missed).await?;
            // Everything up to here went out, but for what the tab said itself and wants left out.
            self.writer.positions().stand(place, position);
        }
        Ok(subscriptions)
    }

    /// Sends events in their order.
    async fn pass_on(&mut self, events: &mut Vec<Event>) -> Result<(), End> {
        for event in events.drain(..) {
            self.writer.event(&event);
            if self.writer.size_bytes() >= CHUNK_BYTES {
                self.send().await?;
            }
        }
        self.send().await
    }

    /// Sends what was queued, the drain frame last, with the time to come back: each browser's own,
    /// since a browser that is told only when to come back at the earliest comes right then.
    async fn drain(&mut self, mut events: Vec<Event>) -> Result<(), End> {
        let last = events.pop();
        self.pass_on(&mut events).await?;
        if let Some(last) = last {
            self.writer.retry(some_of(*DRAIN_SPREAD.start()));
            self.writer.event(&last);
        }
        self.send().await
    }

    /// Hands on what is written. Gives up when the browser does not read while more than allowed
    /// gathers, or while the instance stops.
    async fn send(&mut self) -> Result<(), End> {
        if self.writer.size_bytes() == 0 {
            return Ok(());
        }
        let Self { shared, queue, writer, chunks } = self;
        tokio::select! {
            biased;
            place = chunks.reserve() => match place {
                Ok(place) => {
                    place.send(writer.take());
                    Ok(())
                }
                Err(_) => Err(End::Gone),
            },
            () = async {
                tokio::select! {
                    () = queue.overflown() => {}
                    () = shared.stop.cancelled() => {}
                }
                sleep(LAST_FRAME_WITHIN).await;
            } => Err(End::Stalled),
        }
    }
}

/// A random part of a time.
fn some_of(time: Duration) -> Duration {
    let milliseconds = time.as_millis().saturating_add(1);
    Duration::from_millis(u64::try_from(Uuid::new_v4().as_u128() % milliseconds).unwrap_or_default())
}
