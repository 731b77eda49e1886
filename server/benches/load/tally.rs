//! Who has received what, so that the publisher neither outruns its subscribers nor believes them.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

use tokio::sync::Notify;

/// Counts of one load; shared by the tasks of one thread.
pub struct Tally {
    subscribers: usize,
    deliveries: Cell<u64>,
    receipts: Cell<u64>,
    /// Messages that reached every subscriber.
    complete: Cell<u64>,
    /// For each message behind those, how many subscribers it has reached.
    reached: RefCell<VecDeque<usize>>,
    progress: Notify,
}

impl Tally {
    pub fn new(subscribers: usize) -> Self {
        Self {
            subscribers,
            deliveries: Cell::new(0),
            receipts: Cell::new(0),
            complete: Cell::new(0),
            reached: RefCell::default(),
            progress: Notify::new(),
        }
    }

    /// Counts a message at one subscriber. Each subscriber gets them in order, so the first message
    /// here is complete first.
    pub fn delivered(&self, number: u64) {
        self.deliveries.set(self.deliveries.get() + 1);
        let mut reached = self.reached.borrow_mut();
        let index = usize::try_from(number - self.complete.get()).unwrap_or(usize::MAX);
        if index >= reached.len() {
            reached.resize(index + 1, 0);
        }
        reached[index] += 1;
        while reached.front() == Some(&self.subscribers) {
            reached.pop_front();
            self.complete.set(self.complete.get() + 1);
            self.progress.notify_one();
        }
    }

    /// Counts a receipt.
    pub fn received_receipt(&self) {
        self.receipts.set(self.receipts.get() + 1);
        self.progress.notify_one();
    }

    /// Messages delivered so far, to all subscribers together.
    pub fn deliveries(&self) -> u64 {
        self.deliveries.get()
    }

    /// Messages that are done with: every subscriber has them, and the publisher has their receipts.
    pub fn done(&self) -> u64 {
        self.complete.get().min(self.receipts.get())
    }

    /// Waits until more may be done. For one task only.
    pub async fn progressed(&self) {
        self.progress.notified().await;
    }
}
