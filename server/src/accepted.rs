//! Work that was accepted and is finished, also when the client that asked for it is gone.
//!
//! A request's handler is a future that the HTTP server drops when the client hangs up; a task of its own is not.
//! What clients sent over sockets is finished by the task of the socket, within the same time.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};
use tokio_util::task::TaskTracker;

/// How long accepted work may go on after its client has gone: what a handler of an endpoint may take for a message,
/// and twice what a publish takes whatever Redis does.
pub const FINISH_WITHIN: Duration = Duration::from_secs(10);
/// Requests without a client that are finished at once; one beyond is cancelled.
const ABANDONED_MAX: usize = 1_024;

/// Runs requests that change something. Cheap to clone.
#[derive(Clone)]
pub struct AcceptedWork {
    tasks: TaskTracker,
    /// Places for requests whose client has gone.
    abandoned: Arc<Semaphore>,
    finish_within: Duration,
}

impl AcceptedWork {
    /// Tasks belong to `tasks`: whoever stops the instance waits for them there.
    pub fn new(tasks: TaskTracker) -> Self {
        Self { tasks, abandoned: Arc::new(Semaphore::new(ABANDONED_MAX)), finish_within: FINISH_WITHIN }
    }

    /// Starts `work` at once and returns a future of its output; `None` when it panicked.
    ///
    /// When that future is dropped the work goes on for [`FINISH_WITHIN`], unless too much of the kind is under way.
    pub fn start<T, W>(&self, work: W) -> impl Future<Output = Option<T>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: Future<Output = T> + Send + 'static,
    {
        let (mut answer, answered) = oneshot::channel();
        let (abandoned, finish_within) = (Arc::clone(&self.abandoned), self.finish_within);
        self.tasks.spawn(async move {
            let mut work = std::pin::pin!(work);
            tokio::select! {
                biased;
                output = work.as_mut() => {
                    // A client that has gone in this moment reads no answer.
                    let _ = answer.send(output);
                    return;
                }
                () = answer.closed() => {}
            }
            let Ok(_place) = abandoned.try_acquire() else {
                tracing::warn!(
                    "a request was cancelled: its client has gone, and {ABANDONED_MAX} of the kind are under way"
                );
                return;
            };
            if timeout(finish_within, work).await.is_err() {
                tracing::warn!("a request was cancelled: its client has gone, and it took too long");
            }
        });
        async move { answered.await.ok() }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn work_whose_client_has_gone_is_finished() {
        let (tasks, go, done) = (TaskTracker::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let accepted = AcceptedWork::new(tasks.clone());
        let (may_go, is_done) = (Arc::clone(&go), Arc::clone(&done));
        drop(accepted.start(async move {
            may_go.notified().await;
            is_done.notify_one();
        }));
        go.notify_one();
        done.notified().await;
        tasks.close();
        tasks.wait().await;
    }

    #[tokio::test]
    async fn work_without_a_client_ends_after_its_time_and_beyond_its_number() {
        let tasks = TaskTracker::new();
        let none = Arc::new(Semaphore::new(0));
        let short = AcceptedWork { finish_within: Duration::from_millis(10), ..AcceptedWork::new(tasks.clone()) };
        let full = AcceptedWork { abandoned: none, ..AcceptedWork::new(tasks.clone()) };
        for accepted in [short, full] {
            drop(accepted.start(std::future::pending::<()>()));
        }
        tasks.close();
        timeout(Duration::from_secs(5), tasks.wait()).await.expect("both ended");
    }

    #[tokio::test]
    async fn a_client_that_waits_gets_the_output_and_none_of_a_panic() {
        let accepted = AcceptedWork::new(TaskTracker::new());
        assert_eq!(accepted.start(async { 7 }).await, Some(7));
        assert_eq!(accepted.start(async { panic!("a handler that panics") }).await, None::<()>);
    }
}
