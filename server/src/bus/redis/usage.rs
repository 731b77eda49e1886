//! How full Redis is: its memory, and how many keys of a kind it holds.

use fred::{
    prelude::{ClientLike, Server, Value},
    types::{ClusterHash, CustomCommand, FromValue},
};

use super::{
    BusError,
    connection::Connection,
    keys::{Keys, within},
};

/// Keys looked at with each `SCAN`: about a millisecond of Redis's time.
const SCANNED_TOGETHER: &str = "1000";

/// Memory of Redis; in a cluster the sum of its primaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RedisMemory {
    /// Bytes in use: `used_memory`.
    pub used_bytes: u64,
    /// Bytes it may use: `maxmemory`; 0 without a limit.
    pub limit_bytes: u64,
}

impl Keys {
    /// How much memory Redis uses, and may use.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`]; also when its user may not ask.
    pub async fn memory(&self) -> Result<RedisMemory, BusError> {
        let connection = self.shared().connection()?;
        let mut sum = RedisMemory::default();
        for node in primaries(&connection) {
            let info: String = ask(&connection, node.as_ref(), "INFO", vec!["memory".into()]).await?;
            let fact = |name: &str| {
                let value = info.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
                value.and_then(|value| value.parse::<u64>().ok()).unwrap_or_default()
            };
            sum.used_bytes += fact("used_memory");
            sum.limit_bytes += fact("maxmemory");
        }
        Ok(sum)
    }

    /// How many keys begin with `start`. Looks through everything Redis holds, bit by bit: not on the path of a
    /// request.
    ///
    /// # Errors
    ///
    /// See [`Keys::get`].
    pub async fn count(&self, start: &str) -> Result<u64, BusError> {
        let connection = self.shared().connection()?;
        let pattern = self.name(&format!("{start}*"));
        let mut count = 0;
        for node in primaries(&connection) {
            let mut cursor = "0".to_owned();
            loop {
                let options: [&str; 5] = [&cursor, "MATCH", &pattern, "COUNT", SCANNED_TOGETHER];
                let options = options.into_iter().map(Value::from).collect();
                let (next, names): (String, Vec<Value>) = ask(&connection, node.as_ref(), "SCAN", options).await?;
                count += u64::try_from(names.len()).unwrap_or_default();
                cursor = next;
                if cursor == "0" {
                    break;
                }
            }
        }
        Ok(count)
    }
}

/// The primaries of a cluster; `None` is the only node there is.
fn primaries(connection: &Connection) -> Vec<Option<Server>> {
    let nodes = connection.nodes();
    if nodes.is_empty() { vec![None] } else { nodes.into_iter().map(Some).collect() }
}

async fn ask<T: FromValue>(
    connection: &Connection,
    node: Option<&Server>,
    name: &'static str,
    arguments: Vec<Value>,
) -> Result<T, BusError> {
    let command = CustomCommand::new_static(name, ClusterHash::Random, false);
    let client = connection.commands();
    match node {
        Some(node) => within(client.with_cluster_node(node).custom(command, arguments)).await,
        None => within(client.custom(command, arguments)).await,
    }
}
