//! What an operator wants to know of a Redis before relying on it. Nothing here is for serving.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fred::{
    prelude::{ClientLike, Server, Value},
    types::{ClusterHash, CustomCommand},
};
use tokio::time::timeout;

use super::{
    BusError, RedisBus,
    connect::Plan,
    connection::Connection,
    keys::{Keys, within},
};
use crate::config::RedisConfig;

/// How long connecting may take.
const REACHED_WITHIN: Duration = Duration::from_secs(5);
/// How long a refusal may take.
const REFUSED_WITHIN: Duration = Duration::from_secs(1);

/// What one server says of itself.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// Where it is; empty for the only one there is.
    pub node: String,
    /// The lines of its `INFO`.
    pub facts: HashMap<String, String>,
    /// How far its clock is from ours.
    pub skew: Duration,
}

impl RedisBus {
    /// Whether the configuration is one Redis can be reached with; asks no server.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub fn can_start(config: &RedisConfig) -> Result<(), BusError> {
        Plan::new(config).map(drop)
    }

    /// Connects once, and says why when it cannot be done.
    ///
    /// # Errors
    ///
    /// When Redis is not there or refuses.
    pub async fn reach(config: &RedisConfig) -> Result<(), BusError> {
        open(config).await?.quit().await;
        Ok(())
    }

    /// Whether the wildcards of subscribers are permitted, on a connection of its own.
    ///
    /// # Errors
    ///
    /// When they are refused ([`BusError::is_forbidden`]), or Redis is not there.
    pub async fn try_wildcard(config: &RedisConfig, prefix: &str) -> Result<(), BusError> {
        let connection = open(config).await?;
        let subscribe = CustomCommand::new_static("PSUBSCRIBE", ClusterHash::Random, false);
        let asked = connection.commands().custom::<Value, _>(subscribe, vec![format!("{prefix}bc:view:check:*")]);
        // Sent as any command, so that a refusal is its answer. Consent is told elsewhere, and so never heard here.
        let refusal = timeout(REFUSED_WITHIN, asked).await.ok().and_then(Result::err);
        connection.end();
        refusal.map_or(Ok(()), |error| Err(error.into()))
    }
}

impl Keys {
    /// Asks every server that takes messages.
    ///
    /// # Errors
    ///
    /// When the link is down, a server does not answer, or its user may not ask.
    pub async fn inspect(&self) -> Result<Vec<Inspected>, BusError> {
        let connection = self.shared().connection()?;
        let nodes = connection.nodes();
        let nodes: Vec<Option<Server>> =
            if nodes.is_empty() { vec![None] } else { nodes.into_iter().map(Some).collect() };
        let mut inspected = Vec::new();
        for node in nodes {
            let ask = async |name: &'static str| -> Result<Value, BusError> {
                let command = CustomCommand::new_static(name, ClusterHash::Random, false);
                let client = connection.commands();
                match &node {
                    Some(node) => within(client.with_cluster_node(node).custom(command, Vec::<String>::new())).await,
                    None => within(client.custom(command, Vec::<String>::new())).await,
                }
            };
            let info: String = ask("INFO").await?.convert()?;
            let before = SystemTime::now();
            let told: Vec<u64> = ask("TIME").await?.convert()?;
            let ours = before + before.elapsed().unwrap_or_default() / 2;
            inspected.push(Inspected {
                node: node.map(|node| node.to_string()).unwrap_or_default(),
                facts: facts(&info),
                skew: distance(ours, &told),
            });
        }
        Ok(inspected)
    }
}

async fn open(config: &RedisConfig) -> Result<Connection, BusError> {
    let plan = Plan::new(config)?;
    timeout(REACHED_WITHIN, plan.open(0, &[], None)).await.map_err(|_| BusError::Down)?
}

fn facts(info: &str) -> HashMap<String, String> {
    let pairs = info.lines().filter_map(|line| line.trim().split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// How far apart our time and theirs are, which comes as seconds and microseconds.
fn distance(ours: SystemTime, told: &[u64]) -> Duration {
    let [seconds, micros] = [0, 1].map(|place| told.get(place).copied().unwrap_or_default());
    let theirs = UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_micros(micros);
    ours.duration_since(theirs).unwrap_or_else(|error| error.duration())
}
