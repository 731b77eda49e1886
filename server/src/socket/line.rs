//! The connection under an answer that goes on for as long as its browser wants.

use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The connection a request came on, for whoever answers without an end. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Line {
    cut: CancellationToken,
    ended: CancellationToken,
}

/// The other end of a [`Line`], for the task that serves the connection: dropped, the line has ended.
#[derive(Debug)]
pub struct LineEnd {
    cut: CancellationToken,
    _ended: DropGuard,
}

impl Line {
    /// Both ends of a new one.
    pub fn new() -> (Self, LineEnd) {
        let line = Self { cut: CancellationToken::new(), ended: CancellationToken::new() };
        let end = LineEnd { cut: line.cut.clone(), _ended: line.ended.clone().drop_guard() };
        (line, end)
    }

    /// Ends the connection now, whatever of the answer is still to be written.
    pub fn cut(&self) {
        self.cut.cancel();
    }

    /// Leaves a browser some time to take what was written last, then ends the connection.
    pub async fn end_within(&self, patience: Duration) {
        if timeout(patience, self.ended.cancelled()).await.is_err() {
            self.cut();
        }
    }
}

impl LineEnd {
    /// Waits until the connection is to be ended.
    pub async fn is_cut(&self) {
        self.cut.cancelled().await;
    }
}
