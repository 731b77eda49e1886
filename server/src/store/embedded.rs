//! The embedded store: one file, nothing to install, safe against crashes and power cuts.
//!
//! Reads run side by side on tokio's blocking threads. Changes go through one writer, which commits
//! whatever has gathered meanwhile in one transaction: a single `fsync` serves many requests.

mod carts;
mod config;
mod data_file;
mod endpoints;
mod history;
mod notifications;
mod outbox;
mod texts;
mod todos;
mod users;
mod writer;

use std::{fs, path::Path, sync::Arc};

use app::ports::{StoreError, Tell};
use async_trait::async_trait;
use redb::{ReadTransaction, ReadableDatabase, WriteTransaction};
use tokio::{
    sync::{mpsc, oneshot},
    task,
};

use self::{
    data_file::DataFile,
    writer::{Order, Reply},
};
use super::{
    Backend, OpenError, StoreFacts,
    outbox::{Lane, Untold},
};

pub(super) use self::{
    carts::EmbeddedCarts as Carts, config::EmbeddedConfig as Config, endpoints::EmbeddedEndpoints as Endpoints,
    notifications::EmbeddedNotifications as Notifications, texts::EmbeddedTexts as Texts,
    todos::EmbeddedTodos as Todos, users::EmbeddedUsers as Users,
};

/// The file's name in the data directory.
const FILE: &str = "jpulse.redb";
/// Changes that wait for the writer; whoever brings one more waits for room.
const WAITING: usize = 1_024;

/// What a transaction did: outside, whether the file works; inside, whether there was such a
/// document.
type Done<T> = Result<Result<T, StoreError>, redb::Error>;

/// An open store file and its writer.
pub(super) struct Embedded {
    file: Arc<DataFile>,
    orders: mpsc::Sender<Order>,
    lane: Arc<Lane>,
}

impl Embedded {
    /// Opens or makes the file.
    pub(super) async fn open(data_dir: &Path) -> Result<Self, OpenError> {
        let data_dir = data_dir.to_owned();
        let opened = task::spawn_blocking(move || {
            let directory = |cause| OpenError::Directory { path: data_dir.clone(), cause };
            make_directory(&data_dir).map_err(directory)?;
            let tables: &[data_file::CreateTables] = &[
                todos::create_tables,
                history::create_tables,
                texts::create_tables,
                carts::create_tables,
                notifications::create_tables,
                outbox::create_tables,
                users::create_tables,
                config::create_tables,
                endpoints::create_tables,
            ];
            let file = Arc::new(DataFile::open(data_dir.join(FILE), tables)?);
            // The new file's name must outlast a power cut as well.
            fs::File::open(&data_dir).and_then(|it| it.sync_all()).map_err(directory)?;
            let (orders, ordered) = mpsc::channel(WAITING);
            writer::start(Arc::clone(&file), ordered).map_err(directory)?;
            Ok(Self { file, orders, lane: Arc::default() })
        });
        opened.await.unwrap_or_else(|ended| Err(OpenError::Damaged { path: FILE.into(), cause: ended.to_string() }))
    }

    /// Looks something up, in the state of one moment.
    async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&ReadTransaction) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let file = Arc::clone(&self.file);
        let looked = task::spawn_blocking(move || file.read(|database| look(&database.begin_read()?)));
        match looked.await {
            Ok(done) => done?,
            Err(ended) => Err(StoreError::Unavailable(Box::new(ended))),
        }
    }

    /// Changes something; answers when the change is on the disk, or nothing of it.
    ///
    /// `change` must check before it writes: what it wrote is kept even when it answers that there
    /// is no such document. Once taken, a change is carried out whether or not the caller waits.
    async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write_and_tell(change, Box::new(|_| None)).await
    }

    /// The same with news of the change: on the disk are both, or neither. Goes on the lane when it is.
    async fn write_and_tell<T: Send + 'static>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Done<T> + Send + 'static,
        tell: Tell<T>,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let lane = Arc::clone(&self.lane);
        let order = Order::Change(Box::new(move |transaction| {
            let done = change(transaction).and_then(|value| {
                let untold = value.as_ref().ok().and_then(&tell).map(Untold::new);
                untold.iter().try_for_each(|untold| outbox::add(transaction, untold))?;
                Ok((value, untold))
            });
            let (done, reply): (_, Reply) = match done {
                Ok((value, untold)) => {
                    let reply = move || {
                        if let Some(untold) = untold {
                            lane.put(untold);
                        }
                        // Whoever asked may have left; what was done stays done.
                        drop(answer.send(value));
                    };
                    (Ok(()), Box::new(reply))
                }
                Err(error) => (Err(error), Box::new(move || drop(answer))),
            };
            (done, reply)
        }));
        self.orders.send(order).await.map_err(|_| self.file.fault())?;
        answered.await.map_err(|_| self.file.fault())?
    }
}

#[async_trait]
impl Backend for Embedded {
    fn mode(&self) -> &'static str {
        "embedded"
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.read(|_| Ok(Ok(()))).await
    }

    async fn facts(&self) -> StoreFacts {
        StoreFacts::embedded(self.ping().await.is_ok())
    }

    async fn close(&self) {
        let (closed, is_closed) = oneshot::channel();
        if self.orders.send(Order::Close(closed)).await.is_ok() {
            // An error means that the writer is gone already, which is what was asked for.
            drop(is_closed.await);
        }
    }
}

/// Documents are for this user alone.
fn make_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
