//! Keeps one instance running: one process after the other, on one socket.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use wire::backoff::reconnect_delay;

use crate::clock::dice;

use super::{
    REFUSED,
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
    /// None has ever served, and this one says that it cannot the way it is set up.
    Refused,
}

/// What a keeper is to do: put a new process in the place of the present one.
pub(super) struct Order {
    pub(super) plan: Arc<Plan>,
    /// Told when the new one is ready, or will not be.
    pub(super) done: oneshot::Sender<Result<(), ReplaceError>>,
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
        Self { post, plan, events, stop, has_served, waiting: None }
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
                Life::Replaced(order) => Some(order),
                Life::Ended(ending, served) => {
                    if ending.code() == Some(REFUSED) && !self.has_served.load(Ordering::Relaxed) {
                        // The supervisor is about to stop when nobody listens.
                        let _ = self.events.send(Event::Refused).await;
                        return;
                    }
                    attempt = if served >= STEADY_AFTER { 0 } else { attempt };
                    let pause = reconnect_delay(attempt, dice());
                    attempt += 1;
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
            if let Some(Order { plan, done }) = order {
                self.plan = plan;
                self.waiting = Some(done);
                attempt = 0;
            }
        }
    }

    /// The life of one process.
    async fn live(&mut self, orders: &mut mpsc::Receiver<Order>) -> Life {
        let started = self.plan.command(&self.post).and_then(Process::start);
        let mut process = match started {
            Ok(process) => process,
            Err(error) => return Life::Ended(Ending::Trouble(error), Duration::ZERO),
        };
        let (instance, address) = (self.post.number, self.post.address);
        tracing::info!(instance, pid = process.id(), "an instance starts");
        let mut is_ready = false;
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
                    let served = if is_ready { process.started_at.elapsed() } else { Duration::ZERO };
                    return Life::Ended(ending, served);
                }
                () = &mut ready, if !is_ready => {
                    is_ready = true;
                    tracing::info!(instance, pid = process.id(), "an instance is ready on http://{address}");
                    self.tell(Ok(()));
                    // The supervisor is about to stop when nobody listens.
                    let _ = self.events.send(Event::Ready).await;
                }
                () = &mut overdue, if !is_ready && self.waiting.is_some() => self.tell(Err(ReplaceError::NotReady)),
                Some(order) = orders.recv() => {
                    process.stop(self.plan.stop_within).await;
                    return Life::Replaced(order);
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
