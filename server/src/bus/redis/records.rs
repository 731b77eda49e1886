//! Many keys at once: records that every instance writes of itself and any instance reads of all.

use std::{collections::HashMap, time::Duration};

use fred::{
    prelude::{Client, ClientLike, Error, Value},
    types::{ClusterHash, CustomCommand},
};
use futures_util::future::{join_all, try_join_all};

use super::{
    BusError,
    keys::{Keys, milliseconds, within},
};

/// Keys looked at with each `SCAN`.
const SCANNED_TOGETHER: &str = "1000";

impl Keys {
    /// Values, in the order of their keys: one `MGET`, in a cluster one `GET` a key, all under way together.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn get_all(&self, keys: &[String]) -> Result<Vec<Option<String>>, BusError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let connection = self.connection_to_all(keys)?;
        let client = connection.commands();
        if client.is_clustered() {
            let asked = keys.iter().map(|key| command(client, "GET", vec![self.name(key).into()]));
            return within(try_join_all(asked)).await;
        }
        within(command(client, "MGET", keys.iter().map(|key| self.name(key).into()).collect())).await
    }

    /// Writes fields of a hash, which from now on lives for `life`.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`]; some may have been written then.
    pub async fn put_fields(&self, key: &str, fields: &[(String, u64)], life: Duration) -> Result<(), BusError> {
        if fields.is_empty() {
            return Ok(());
        }
        let connection = self.connection(key)?;
        let client = connection.commands();
        let mut arguments: Vec<Value> = vec![self.name(key).into()];
        for (field, number) in fields {
            arguments.extend([field.as_str().into(), number.to_string().into()]);
        }
        within(async {
            command::<Value>(client, "HSET", arguments).await?;
            command::<Value>(client, "PEXPIRE", vec![self.name(key).into(), milliseconds(life).into()]).await
        })
        .await
        .map(drop)
    }

    /// The fields of hashes, in the order of their keys; a missing hash has none.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn fields(&self, keys: &[String]) -> Result<Vec<HashMap<String, u64>>, BusError> {
        let connection = self.connection_to_all(keys)?;
        let client = connection.commands();
        let asked =
            keys.iter().map(|key| command::<HashMap<String, u64>>(client, "HGETALL", vec![self.name(key).into()]));
        within(try_join_all(asked)).await
    }

    /// Adds `text` to what is kept by time, for as long as `life` each.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn note(&self, key: &str, at: u64, text: &str, life: Duration) -> Result<(), BusError> {
        let connection = self.connection(key)?;
        let client = connection.commands();
        let name = || Value::from(self.name(key));
        let too_old = at.saturating_sub(u64::try_from(life.as_millis()).unwrap_or(u64::MAX));
        within(async {
            command::<Value>(client, "ZADD", vec![name(), at.to_string().into(), text.into()]).await?;
            let range = vec![name(), "-inf".into(), too_old.to_string().into()];
            command::<Value>(client, "ZREMRANGEBYSCORE", range).await?;
            command::<Value>(client, "PEXPIRE", vec![name(), milliseconds(life).into()]).await
        })
        .await
        .map(drop)
    }

    /// The latest notes under each of these keys, oldest first.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn latest_notes(&self, keys: &[String], count: usize) -> Result<Vec<Vec<String>>, BusError> {
        let connection = self.connection_to_all(keys)?;
        let client = connection.commands();
        let first = format!("-{}", count.max(1));
        let asked = keys.iter().map(|key| {
            let range = vec![self.name(key).into(), first.as_str().into(), "-1".into()];
            command::<Vec<String>>(client, "ZRANGE", range)
        });
        within(try_join_all(asked)).await
    }

    /// Puts texts in front of a list, of which the first `most` are kept, for ever.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn push(&self, key: &str, texts: &[String], most: usize) -> Result<(), BusError> {
        if texts.is_empty() {
            return Ok(());
        }
        let connection = self.connection(key)?;
        let client = connection.commands();
        let mut arguments: Vec<Value> = vec![self.name(key).into()];
        arguments.extend(texts.iter().map(|text| Value::from(text.as_str())));
        let last = most.saturating_sub(1).to_string();
        within(async {
            command::<Value>(client, "LPUSH", arguments).await?;
            command::<Value>(client, "LTRIM", vec![self.name(key).into(), "0".into(), last.into()]).await
        })
        .await
        .map(drop)
    }

    /// The first of a list.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn first(&self, key: &str, count: usize) -> Result<Vec<String>, BusError> {
        let connection = self.connection(key)?;
        let last = count.max(1) - 1;
        let range = vec![self.name(key).into(), "0".into(), last.to_string().into()];
        within(command(connection.commands(), "LRANGE", range)).await
    }

    /// The keys that begin with `start`, without the site's prefix, up to `most` of them. Looks through
    /// everything Redis holds, bit by bit: not for the way of a request.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn scan(&self, start: &str, most: usize) -> Result<Vec<String>, BusError> {
        let connection = self.shared().connection()?;
        let client = connection.commands();
        let pattern = self.name(&format!("{start}*"));
        let nodes = connection.nodes();
        let mut found = Vec::new();
        // `None` is the only one there is.
        let nodes = if nodes.is_empty() { vec![None] } else { nodes.into_iter().map(Some).collect() };
        for node in nodes {
            let mut cursor = "0".to_owned();
            loop {
                let options: [&str; 5] = [&cursor, "MATCH", &pattern, "COUNT", SCANNED_TOGETHER];
                let options: Vec<Value> = options.into_iter().map(Value::from).collect();
                let scan = CustomCommand::new_static("SCAN", ClusterHash::Random, false);
                let scanned: (String, Vec<String>) = match &node {
                    Some(node) => within(client.with_cluster_node(node).custom(scan, options)).await?,
                    None => within(client.custom(scan, options)).await?,
                };
                let names = scanned.1.iter().filter_map(|name| name.strip_prefix(&self.shared().prefix));
                found.extend(names.map(str::to_owned).take(most - found.len().min(most)));
                cursor = scanned.0;
                if cursor == "0" || found.len() >= most {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// How long each of these keys lives, in their order; `None` for one that is not there. Counts as a use of it when
    /// Redis looks for what to evict.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn touch(&self, keys: &[String]) -> Result<Vec<Option<Duration>>, BusError> {
        let connection = self.shared().connection()?;
        let client = connection.commands();
        let asked = keys.iter().map(|key| async move {
            let name = || vec![self.name(key).into()];
            // Asking how long a key lives is no use of it.
            command::<Value>(client, "TOUCH", name()).await?;
            command::<i64>(client, "PTTL", name()).await
        });
        let left = within(try_join_all(asked)).await?;
        Ok(left.into_iter().map(life).collect())
    }

    /// Removes several values.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn remove_all(&self, keys: &[String]) -> Result<(), BusError> {
        let connection = self.connection_to_all(keys)?;
        let client = connection.commands();
        let removed = keys.iter().map(|key| command::<Value>(client, "DEL", vec![self.name(key).into()]));
        within(async { Ok::<_, Error>(join_all(removed).await) }).await.map(drop)
    }
}

/// What `PTTL` says: -2 for a key that is not there, -1 for one that lives for ever.
fn life(milliseconds: i64) -> Option<Duration> {
    match milliseconds {
        -2 => None,
        milliseconds => Some(u64::try_from(milliseconds).map_or(Duration::MAX, Duration::from_millis)),
    }
}

/// One command on one key.
async fn command<T: fred::types::FromValue>(
    client: &Client,
    name: &'static str,
    arguments: Vec<Value>,
) -> Result<T, Error> {
    client.custom(CustomCommand::new_static(name, ClusterHash::FirstKey, false), arguments).await
}
