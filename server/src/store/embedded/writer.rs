//! The one writer of a store file: a thread that commits changes in batches.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

use redb::WriteTransaction;
use tokio::sync::{mpsc, oneshot};

use super::data_file::DataFile;

/// Changes in one transaction at most.
const BATCH: usize = 256;

/// What the writer is asked for.
pub(super) enum Order {
    /// Part of the next transaction.
    Change(Change),
    /// Let go of the file, after everything asked for before.
    Close(oneshot::Sender<()>),
}

/// Does its part in a transaction; says how that went and how to answer.
pub(super) type Change = Box<dyn FnOnce(&WriteTransaction) -> (Result<(), redb::Error>, Reply) + Send>;
/// Answers, once the transaction is on the disk. Dropped without being called, as is a change that
/// was never tried, it tells whoever waits that nothing was changed.
pub(super) type Reply = Box<dyn FnOnce() + Send>;

/// Starts the thread; it ends when told to close, or when nobody can order any more.
pub(super) fn start(file: Arc<DataFile>, mut orders: mpsc::Receiver<Order>) -> io::Result<()> {
    let work = move || {
        let mut waiting = Vec::with_capacity(BATCH);
        while orders.blocking_recv_many(&mut waiting, BATCH) > 0 {
            let mut changes = Vec::with_capacity(waiting.len());
            let mut closing = None;
            for order in waiting.drain(..) {
                match order {
                    Order::Change(change) if closing.is_none() => changes.push(change),
                    Order::Change(_) => {}
                    Order::Close(closed) => closing = Some(closed),
                }
            }
            commit(&file, changes);
            if let Some(closed) = closing {
                orders.close();
                file.close();
                // Whoever asked may have left.
                let _ = closed.send(());
                return;
            }
        }
    };
    thread::Builder::new().name("store-writer".into()).spawn(work).map(drop)
}

/// Commits all changes or, when the file fails, none.
fn commit(file: &DataFile, changes: Vec<Change>) {
    if changes.is_empty() {
        return;
    }
    // Both outlive the attempt, so that nobody hears of a failure before the file knows its cause.
    let mut changes = changes.into_iter();
    let mut replies = Vec::with_capacity(changes.len());
    // A damaged file can make the library panic: that must not end the writer for good.
    let committed = catch_unwind(AssertUnwindSafe(|| {
        file.write(|database| {
            let transaction = database.begin_write()?;
            for change in changes.by_ref() {
                let (done, reply) = change(&transaction);
                replies.push(reply);
                done?;
            }
            Ok(transaction.commit()?)
        })
    }));
    if let Ok(Ok(())) = committed {
        for reply in replies {
            reply();
        }
    }
}
