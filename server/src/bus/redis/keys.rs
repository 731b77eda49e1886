//! Small values under the site's prefix, for whoever keeps something in Redis beside the logs.

use std::{sync::Arc, time::Duration};

use fred::{
    prelude::{ClientLike, Error, Expiration, KeysInterface, SetOptions, SetsInterface, Value},
    types::{ClusterHash, CustomCommand},
};
use futures_util::future::{join_all, try_join_all};
use tokio::{sync::watch, time::timeout};

use super::{BusError, Shared, connection::Connection};
use crate::bus::Link;

/// How long an answer may take: whoever asks has something to fall back on.
const ANSWER_WITHIN: Duration = Duration::from_millis(700);

/// Keys of this site, over the bus's own connection. Fails at once while there is no link. Cheap to clone.
#[derive(Clone)]
pub struct Keys {
    shared: Arc<Shared>,
}

/// When a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// Whatever is there.
    Always,
    /// In place of another.
    IfThere,
    /// Where there is none.
    IfAbsent,
}

impl Keys {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// How this instance is linked.
    pub fn link(&self) -> watch::Receiver<Link> {
        self.shared.link.subscribe()
    }

    /// Whether Redis is likely to answer.
    pub fn is_up(&self) -> bool {
        self.shared.is_up()
    }

    /// A value.
    ///
    /// # Errors
    ///
    /// As every method here: when the link is down or Redis does not answer in time.
    pub async fn get(&self, key: &str) -> Result<Option<String>, BusError> {
        let connection = self.connection(key)?;
        within(connection.commands().get(self.name(key))).await
    }

    /// A value, which from now on lives for `life`.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn get_and_prolong(&self, key: &str, life: Duration) -> Result<Option<String>, BusError> {
        let connection = self.connection(key)?;
        let command = CustomCommand::new_static("GETEX", ClusterHash::FirstKey, false);
        let arguments: Vec<Value> = vec![self.name(key).into(), "PX".into(), milliseconds(life).into()];
        within(connection.commands().custom(command, arguments)).await
    }

    /// Writes a value that lives for `life`; whether it was written.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`]; it may have been written then.
    pub async fn put(&self, key: &str, value: &str, life: Duration, put: Put) -> Result<bool, BusError> {
        let connection = self.connection(key)?;
        let options = match put {
            Put::Always => None,
            Put::IfThere => Some(SetOptions::XX),
            Put::IfAbsent => Some(SetOptions::NX),
        };
        let expires = Some(Expiration::PX(milliseconds(life)));
        let set: Value = within(connection.commands().set(self.name(key), value, expires, options, false)).await?;
        Ok(!set.is_null())
    }

    /// Removes a value.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn remove(&self, key: &str) -> Result<(), BusError> {
        let connection = self.connection(key)?;
        within(connection.commands().del::<Value, _>(self.name(key))).await.map(drop)
    }

    /// Which of these are there, in their order.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn exist(&self, keys: &[String]) -> Result<Vec<bool>, BusError> {
        let connection = self.connection_to_all(keys)?;
        let client = connection.commands();
        // Together: the client sends them in a row, in a cluster to where each of them is.
        let asked = keys.iter().map(|key| async move { client.exists::<i64, _>(self.name(key)).await });
        let found = within(try_join_all(asked)).await?;
        Ok(found.into_iter().map(|count| count > 0).collect())
    }

    /// Adds to a set, which from now on lives for `life`.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn add_member(&self, key: &str, member: &str, life: Duration) -> Result<(), BusError> {
        let connection = self.connection(key)?;
        let client = connection.commands();
        let name = self.name(key);
        within(async {
            client.sadd::<Value, _, _>(name.clone(), member).await?;
            client.pexpire::<Value, _>(name, milliseconds(life), None).await
        })
        .await
        .map(drop)
    }

    /// Removes from a set.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn remove_members(&self, key: &str, members: &[String]) -> Result<(), BusError> {
        let connection = self.connection(key)?;
        let client = connection.commands();
        let removed = members.iter().map(|member| client.srem::<Value, _, _>(self.name(key), member.as_str()));
        within(async { join_all(removed).await.into_iter().collect::<Result<Vec<Value>, Error>>() }).await.map(drop)
    }

    /// Everything in a set.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn members(&self, key: &str) -> Result<Vec<String>, BusError> {
        let connection = self.connection(key)?;
        within(connection.commands().smembers(self.name(key))).await
    }

    /// The connection for a command on this key.
    pub(super) fn connection(&self, key: &str) -> Result<Arc<Connection>, BusError> {
        self.shared.connection_for(&self.name(key))
    }

    /// The connection for commands on all of these.
    pub(super) fn connection_to_all(&self, keys: &[String]) -> Result<Arc<Connection>, BusError> {
        let connection = self.shared.connection()?;
        keys.iter().try_for_each(|key| connection.reaches(&self.name(key)))?;
        Ok(connection)
    }

    pub(super) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.shared.prefix)
    }
}

pub(super) async fn within<T>(command: impl Future<Output = Result<T, Error>>) -> Result<T, BusError> {
    match timeout(ANSWER_WITHIN, command).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(BusError::Down),
    }
}

pub(super) fn milliseconds(life: Duration) -> i64 {
    i64::try_from(life.as_millis()).unwrap_or(i64::MAX).max(1)
}
