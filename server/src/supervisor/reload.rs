//! Exchanges the processes one after the other.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    keeper::{Cause, Order, ReplaceError},
    plan::Plan,
};
use crate::config::Config;

/// How long the trial of a new configuration may take.
const TRIAL_WITHIN: Duration = Duration::from_secs(10);

/// Waits for wishes; one at a time is fulfilled, and those that come meanwhile are one.
pub(super) struct Reload {
    wished: Arc<Notify>,
    /// Instances whose processes use too much memory; one entry for each instance at most.
    too_large: Arc<Mutex<BTreeSet<u16>>>,
    grown: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

impl Reload {
    /// Starts to wait, until `stop`. The instances get their orders by number.
    pub(super) fn start(
        instances: Vec<mpsc::Sender<Order>>,
        plan: Arc<Plan>,
        program: PathBuf,
        stop: CancellationToken,
    ) -> Self {
        let wished = Arc::new(Notify::new());
        let waiting = Arc::clone(&wished);
        let (too_large, grown) = (Arc::<Mutex<BTreeSet<u16>>>::default(), Arc::new(Notify::new()));
        let (large, has_grown) = (Arc::clone(&too_large), Arc::clone(&grown));
        let mut task = Task { instances, plan, program };
        let rolling = async move {
            loop {
                tokio::select! {
                    () = waiting.notified() => task.roll().await,
                    () = has_grown.notified() => while let Some(number) = first(&large) {
                        task.replace_grown(number).await;
                    },
                }
            }
        };
        let task = tokio::spawn(async move {
            stop.run_until_cancelled(rolling).await;
        });
        Self { wished, too_large, grown, _task: AbortOnDropHandle::new(task) }
    }

    /// Has all processes exchanged, as soon as a reload under way is done.
    pub(super) fn wish(&self) {
        self.wished.notify_one();
    }

    /// Has the process of this instance replaced, in its turn: never two at once.
    pub(super) fn replace(&self, number: u16) {
        self.too_large.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
        self.grown.notify_one();
    }
}

struct Task {
    instances: Vec<mpsc::Sender<Order>>,
    plan: Arc<Plan>,
    program: PathBuf,
}

impl Task {
    async fn roll(&mut self) {
        match Config::load().map(|config| Plan::new(&config, &self.program)) {
            Ok(Ok(plan)) => self.plan = Arc::new(plan),
            Ok(Err(error)) => return tracing::error!(%error, "reload refused, all instances run on"),
            // A new version of the program may know more than this one: the trial decides.
            Err(error) => tracing::warn!(%error, "not understood by this version of the supervisor"),
        }
        if let Err(reason) = self.try_configuration().await {
            return tracing::error!(%reason, "reload refused, all instances run on");
        }
        tracing::info!("reloading: one instance after the other");
        for (instance, orders) in self.instances.iter().enumerate() {
            match self.exchange(orders, Cause::Reload).await {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    let untouched = self.instances.len() - instance - 1;
                    return tracing::error!(instance, %error, untouched, "reload stopped, the others run on");
                }
                None => return,
            }
        }
        tracing::info!("reloaded");
    }

    /// A new process for one that uses too much memory. What it is started with stays.
    async fn replace_grown(&self, number: u16) {
        let Some(orders) = self.instances.get(usize::from(number)) else { return };
        if let Some(Err(error)) = self.exchange(orders, Cause::Memory).await {
            tracing::error!(instance = number, %error, "an instance that used too much memory is not back yet");
        }
    }

    /// Has one process replaced and waits until the new one is ready; `None` when all stop.
    async fn exchange(&self, orders: &mpsc::Sender<Order>, cause: Cause) -> Option<Result<(), ReplaceError>> {
        let (done, answer) = oneshot::channel();
        orders.send(Order { plan: Arc::clone(&self.plan), cause, done }).await.ok()?;
        answer.await.ok()
    }

    /// Asks the program itself, which may be a new version, whether it would start.
    async fn try_configuration(&self) -> Result<(), String> {
        match timeout(TRIAL_WITHIN, self.plan.trial().output()).await {
            Ok(Ok(output)) if output.status.success() => Ok(()),
            Ok(Ok(output)) => {
                let said = String::from_utf8_lossy(&output.stderr);
                Err(said.lines().next_back().map_or_else(|| output.status.to_string(), str::to_owned))
            }
            Ok(Err(error)) => Err(format!("the program does not start: {error}")),
            Err(_) => Err(format!("the program says nothing within {} s", TRIAL_WITHIN.as_secs())),
        }
    }
}

/// Takes one of them.
fn first(numbers: &Mutex<BTreeSet<u16>>) -> Option<u16> {
    numbers.lock().unwrap_or_else(PoisonError::into_inner).pop_first()
}
