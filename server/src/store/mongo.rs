//! Documents in MongoDB, shared by all instances of a site.

mod carts;
mod change;
mod config;
mod endpoints;
mod history;
mod notifications;
mod outbox;
mod sessions;
mod texts;
mod todos;
mod users;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use app::ports::StoreError;
use async_trait::async_trait;
use mongodb::{
    Client, Database,
    bson::{Bson, Document, doc},
    error::{Error, ErrorKind, WriteFailure},
    options::{Acknowledgment, ClientOptions, WriteConcern},
};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::{sync::OnceCell, time::timeout, try_join};
use uuid::Uuid;

use super::{Backend, OpenError, StoreFacts, outbox::Lane};
use crate::identity::InstanceId;

pub(super) use self::{
    carts::MongoCarts as Carts, config::MongoConfig as Config, endpoints::MongoEndpoints as Endpoints,
    notifications::MongoNotifications as Notifications, sessions::MongoSessions as Sessions,
    texts::MongoTexts as Texts, todos::MongoTodos as Todos, users::MongoUsers as Users,
};

/// Used when the address names no database.
const DATABASE: &str = "jpulse";
/// How long to look for a server that can be asked, unless the address says otherwise.
const SELECT_WITHIN: Duration = Duration::from_secs(2);
/// How long one request may take in all: a server that hangs must not hang the page.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The way to one database of a MongoDB.
pub(super) struct Mongo {
    client: Client,
    database: Database,
    /// Set when the server was first reached and the indexes are in place.
    kind: OnceCell<Kind>,
    /// Who tells what is saved here.
    owner: OnceLock<InstanceId>,
    lane: Lane,
}

/// What a MongoDB can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One server: one document is written at once.
    Alone,
    /// A replica set, or a cluster of them: several documents are, in a transaction.
    WithTransactions,
}

impl Mongo {
    /// Reads the address; connects later.
    pub(super) async fn new(uri: &str) -> Result<Self, OpenError> {
        let mut options = ClientOptions::parse(uri).await.map_err(|error| OpenError::of_address(&error))?;
        options.app_name.get_or_insert_with(|| "jpulse".into());
        options.server_selection_timeout.get_or_insert(SELECT_WITHIN);
        options.connect_timeout.get_or_insert(SELECT_WITHIN);
        options
            .write_concern
            .get_or_insert_with(|| WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build());
        let name = options.default_database.clone().unwrap_or_else(|| DATABASE.into());
        let client = Client::with_options(options).map_err(|error| OpenError::of_address(&error))?;
        let database = client.database(&name);
        Ok(Self { client, database, kind: OnceCell::new(), owner: OnceLock::new(), lane: Lane::default() })
    }

    /// Runs one request, with the indexes in place, within [`ANSWER_WITHIN`].
    async fn within<T>(&self, request: impl Future<Output = Result<T, Error>> + Send) -> Result<T, StoreError> {
        let prepared = async {
            self.prepare().await?;
            request.await
        };
        match timeout(ANSWER_WITHIN, prepared).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(StoreError::Unavailable(Box::new(Fault::Driver(error)))),
            Err(_) => Err(StoreError::Unavailable(Box::new(Fault::Silent))),
        }
    }
}

impl Mongo {
    /// Learns what the server can do and makes the indexes, once.
    async fn prepare(&self) -> Result<Kind, Error> {
        let learn = async || {
            let hello = self.database.run_command(doc! { "hello": 1 }).await?;
            let is_router = hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
            // Each takes a while in a replica set, which makes sure of it: so all at once.
            try_join!(todos::create_indexes(&self.database), outbox::create_indexes(&self.database))?;
            Ok(if is_router || hello.contains_key("setName") { Kind::WithTransactions } else { Kind::Alone })
        };
        // Whoever comes meanwhile waits for the same; who gives up leaves it to the next.
        self.kind.get_or_try_init(learn).await.copied()
    }

    /// The name of this instance, or one of its own for a store without an instance.
    fn owner(&self) -> Arc<str> {
        let unnamed = || InstanceId::new(Uuid::new_v4().to_string());
        Arc::clone(self.owner.get_or_init(unnamed).current())
    }
}

/// What a `serverStatus` tells, or as much of it as a `buildInfo` does.
fn facts_of(database: &str, status: &Document, kind: Option<Kind>) -> StoreFacts {
    let number = |value: Option<&Bson>| match value {
        Some(Bson::Int32(number)) => json!(number),
        Some(Bson::Int64(number)) => json!(number),
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
        Some(Bson::Double(number)) => json!(*number as i64),
        _ => Value::Null,
    };
    let connections = status.get_document("connections").map_or(Value::Null, |connections| {
        json!({ "current": number(connections.get("current")), "available": number(connections.get("available")) })
    });
    let server = json!({
        "status": "running",
        "version": status.get_str("version").ok(),
        "connections": connections,
        "uptime": number(status.get("uptime")),
        "host": status.get_str("host").ok(),
    });
    let has_transactions = kind.map(|kind| kind == Kind::WithTransactions);
    StoreFacts { is_well: true, database: database.to_owned(), server, has_transactions }
}

/// Whether a unique index refused a document.
fn is_duplicate(error: &Error) -> bool {
    const DUPLICATE_KEY: i32 = 11_000;
    matches!(&*error.kind, ErrorKind::Write(WriteFailure::WriteError(error)) if error.code == DUPLICATE_KEY)
}

/// Why MongoDB did not do it.
#[derive(Debug, Error)]
enum Fault {
    /// It cannot be reached, or it refused.
    #[error("MongoDB: {0}; check MONGODB_URI and that the server runs")]
    Driver(Error),
    /// It took the request and said nothing.
    #[error("MongoDB: no answer within {} s; check that the server is not stuck", ANSWER_WITHIN.as_secs())]
    Silent,
}

#[async_trait]
impl Backend for Mongo {
    fn mode(&self) -> &'static str {
        "mongodb"
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.within(async { self.database.run_command(doc! { "ping": 1 }).await }).await.map(drop)
    }

    async fn facts(&self) -> StoreFacts {
        let facts = self.within(async {
            // Needs a role that a user of the site may not have: then its version must do.
            let admin = self.client.database("admin");
            let status = match admin.run_command(doc! { "serverStatus": 1, "repl": 0, "metrics": 0, "locks": 0 }).await
            {
                Ok(status) => status,
                Err(_) => self.database.run_command(doc! { "buildInfo": 1 }).await?,
            };
            Ok(status)
        });
        match facts.await {
            Ok(status) => facts_of(self.database.name(), &status, self.kind.get().copied()),
            Err(_) => StoreFacts { database: self.database.name().to_owned(), ..StoreFacts::silent() },
        }
    }

    async fn close(&self) {
        // Immediate: the requests under way were given their time by the server's own shutdown.
        self.client.clone().shutdown().immediate(true).await;
    }
}
