//! Keeps one instance running: one process after the other, on one socket.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;
use wire::backoff::reconnect_delay;

use crate::clock::dice;

use super::{
    MemoryLimit, REFUSED,
    memory::{Gauge, MEASURED_EVERY, MemoryPolicy},
    plan::Plan,
    probe,
    process::{Ending, Process},
};

/// How long a new process may take until it is ready before a reload goes no further.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// Who served so long and ended is started again as if for the first time.
const STEADY_AFTER: Duration = Duration::from_secs(30);

/// An instance's place: its number and its socket, which outlive its processes.
pub(super) struct Post {
    pub(super) number: u16,
    pub(super) address: SocketAddr,
    pub(super) listener: TcpListener,
}

/// What a keeper tells the supervisor.
pub(super) enum Event {
    /// A process serves.
    Ready,
    /// The process of this instance uses more memory than it may.
    TooLarge(u16),
    /// None has ever served, and this one says that it cannot the way it is set up.
    Refused,
}

/// What a keeper is to do: put a new process in the place of the present one.
pub(super) struct Order {
    pub(super) plan: Arc<Plan>,
    pub(super) cause: Cause,
    /// Told when the new one is ready, or will not be.
    pub(super) done: oneshot::Sender<Result<(), ReplaceError>>,
}

/// Why a process is to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The operator asked for it.
    Reload,
    /// It uses too much memory.
    Memory,
}

/// Why a new process does not serve.
#[derive(Debug, Error)]
pub(super) enum ReplaceError {
    /// It ended.
    #[error("the new process ended: {0}")]
    Ended(String),
    /// It does not say that it is ready.
    #[error("the new process is not ready after {} s", READY_WITHIN.as_secs())]
    NotReady,
}

pub(super) struct Keeper {
    post: Post,
    plan: Arc<Plan>,
    events: mpsc::Sender<Event>,
    stop: CancellationToken,
    /// Whether any instance has ever been ready.
    has_served: Arc<AtomicBool>,
    /// Who waits for the present process to be ready.
    waiting: Option<oneshot::Sender<Result<(), ReplaceError>>>,
    memory: MemoryPolicy,
    /// Processes started because the one before ended by itself or grew too large; a reload does not count.
    restarts: u32,
}

/// How the life of a process came to its end.
enum Life {
    /// All are to stop.
    Stopped,
    /// It made room for another.
    Replaced(Order),
    /// By itself, after it served so long.
    Ended(Ending, Duration),
}

impl Keeper {
    pub(super) fn new(
        post: Post,
        plan: Arc<Plan>,
        events: mpsc::Sender<Event>,
        stop: CancellationToken,
        has_served: Arc<AtomicBool>,
    ) -> Self {
        Self { post, plan, events, stop, has_served, waiting: None, memory: MemoryPolicy::new(None), restarts: 0 }
    }

    /// The same with a limit of memory, when there is one.
    pub(super) fn with_max_memory(mut self, limit: Option<MemoryLimit>) -> Self {
        self.memory = MemoryPolicy::new(limit);
        self
    }

    /// Starts process after process until all are to stop; the first one not before `gate` opens.
    pub(super) async fn run(mut self, gate: Option<CancellationToken>, mut orders: mpsc::Receiver<Order>) {
        if let Some(gate) = gate {
            tokio::select! {
                () = gate.cancelled() => {}
                () = self.stop.cancelled() => {}
            }
        }
        let mut attempt = 0;
        while !self.stop.is_cancelled() {
            let order = match self.live(&mut orders).await {
                Life::Stopped => return,
                Life::Replaced(order) => {
                    self.restarts += u32::from(order.cause == Cause::Memory);
                    Some(order)
                }
                Life::Ended(ending, served) => {
                    if ending.code() == Some(REFUSED) && !self.has_served.load(Ordering::Relaxed) {
                        // The supervisor is about to stop when nobody listens.
                        let _ = self.events.send(Event::Refused).await;
                        return;
                    }
                    attempt = if served >= STEADY_AFTER { 0 } else { attempt };
                    let pause = reconnect_delay(attempt, dice());
                    attempt += 1;
                    self.restarts += 1;
                    self.tell(Err(ReplaceError::Ended(ending.to_string())));
                    let (instance, again_in) = (self.post.number, format!("{:.1} s", pause.as_secs_f32()));
                    tracing::error!(instance, %ending, again_in, "an instance ended by itself");
                    tokio::select! {
                        () = sleep(pause) => None,
                        () = self.stop.cancelled() => return,
                        order = orders.recv() => order,
                    }
                }
            };
            if let Some(Order { plan, done, .. }) = order {
                self.plan = plan;
                self.waiting = Some(done);
                attempt = 0;
            }
        }
    }

    /// The life of one process.
    async fn live(&mut self, orders: &mut mpsc::Receiver<Order>) -> Life {
        let started = self.plan.command(&self.post, self.restarts).and_then(Process::start);
        let mut process = match started {
            Ok(process) => process,
            Err(error) => return Life::Ended(Ending::Trouble(error), Duration::ZERO),
        };
        let (instance, address) = (self.post.number, self.post.address);
        tracing::info!(instance, pid = process.id(), "an instance starts");
        let mut ready_at = None;
        let mut gauge = self.memory.limit().map(|limit| (limit, Gauge::new()));
        // Whether a replacement is asked for: at most once for each process.
        let mut is_too_large = false;
        let mut measure = interval(MEASURED_EVERY);
        measure.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ready = std::pin::pin!(probe::ready(address));
        let mut overdue = std::pin::pin!(sleep(READY_WITHIN));
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    process.stop(self.plan.stop_within).await;
                    return Life::Stopped;
                }
                ending = process.ended() => {
                    let served = if ready_at.is_some() { process.started_at.elapsed() } else { Duration::ZERO };
                    return Life::Ended(ending, served);
                }
                () = &mut ready, if ready_at.is_none() => {
                    ready_at = Some(Instant::now());
                    tracing::info!(instance, pid = process.id(), "an instance is ready on http://{address}");
                    self.tell(Ok(()));
                    // The supervisor is about to stop when nobody listens.
                    let _ = self.events.send(Event::Ready).await;
                }
                () = &mut overdue, if ready_at.is_none() && self.waiting.is_some() => self.tell(Err(ReplaceError::NotReady)),
                Some(order) = orders.recv() => {
                    if order.cause == Cause::Memory {
                        if !is_too_large {
                            // The process it was about was replaced before its turn came.
                            let _ = order.done.send(Ok(()));
                            continue;
                        }
                        self.memory.replaced(elapsed(ready_at));
                    }
                    process.stop(self.plan.stop_within).await;
                    return Life::Replaced(order);
                }
                _ = measure.tick(), if ready_at.is_some() && gauge.is_some() && !is_too_large => {
                    let Some((limit, gauge)) = &mut gauge else { continue };
                    let Some(bytes) = process.id().and_then(|pid| gauge.resident_bytes(pid)) else { continue };
                    if self.memory.is_due(elapsed(ready_at), bytes) {
                        is_too_large = true;
                        let (limit, pid) = (limit.bytes(), process.id());
                        tracing::warn!(instance, pid, bytes, limit, "an instance uses too much memory: replacing it");
                        // The supervisor is about to stop when nobody listens.
                        let _ = self.events.send(Event::TooLarge(instance)).await;
                    }
                }
            }
        }
    }

    /// Tells who waits for the present process.
    fn tell(&mut self, outcome: Result<(), ReplaceError>) {
        if let Some(waiting) = self.waiting.take() {
            // A reload that was given up listens no more.
            let _ = waiting.send(outcome);
        }
    }
}

/// How long ago a process became ready.
fn elapsed(ready_at: Option<Instant>) -> Duration {
    ready_at.map_or(Duration::ZERO, |at| at.elapsed())
}
