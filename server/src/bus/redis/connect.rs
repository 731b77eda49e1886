//! Makes connections for every way Redis can be set up.

use std::{net::IpAddr, time::Duration};

use fred::{
    prelude::{Builder, Client, Config, Server, ServerConfig},
    types::{
        RespVersion,
        config::{ClusterDiscoveryPolicy, TlsConfig, TlsConnector, TlsHostMapping},
    },
};

use super::{
    BusError,
    connection::{Connection, Part},
    tls,
};
use crate::config::{RedisConfig, RedisMode, RedisNode};

/// How long a command may take.
const COMMAND_WITHIN: Duration = Duration::from_secs(2);
/// Commands that wait for the connection at most; more are refused at once.
const COMMANDS_WAITING: usize = 10_000;
/// Messages that wait for [`super::receive`] at most; what falls out is fetched from the log.
const MESSAGES_WAITING: usize = 16_384;
/// How often a command is sent at most: once, and again to where a cluster says its slot is now. What
/// was sent to a node that is lost is not sent again: only the outbox knows how.
const COMMAND_ATTEMPTS: u32 = 3;

/// What is the same for every attempt to connect.
pub(super) struct Plan {
    servers: Servers,
    username: Option<String>,
    password: Option<String>,
    database: Option<u8>,
    tls: Option<TlsConnector>,
}

enum Servers {
    Single(Server),
    Cluster(Vec<Server>),
    Sentinel { nodes: Vec<Server>, master: String, username: Option<String>, password: Option<String> },
}

impl Plan {
    /// Reads the configuration, and the certificates it names.
    pub(super) fn new(config: &RedisConfig) -> Result<Self, BusError> {
        let servers = match config.effective_mode() {
            RedisMode::Cluster => Servers::Cluster(servers(&config.cluster.nodes)),
            RedisMode::Sentinel => Servers::Sentinel {
                nodes: servers(&config.sentinel.nodes),
                master: config.sentinel.master.clone(),
                username: some(&config.sentinel.sentinel_username),
                password: some(&config.sentinel.sentinel_password),
            },
            RedisMode::Single | RedisMode::None => {
                let host = some(&config.single.host).unwrap_or_else(|| "127.0.0.1".to_owned());
                Servers::Single(Server::new(host, config.single.port))
            }
        };
        let database = match &servers {
            Servers::Single(_) => (config.single.db > 0).then_some(config.single.db),
            Servers::Cluster(_) | Servers::Sentinel { .. } => None,
        };
        Ok(Self {
            servers,
            username: some(&config.username),
            password: config.effective_password().map(str::to_owned),
            database,
            tls: if config.tls { Some(tls::connector(&config.ca_file)?) } else { None },
        })
    }

    /// Connects, beginning with another node at each attempt. `known` are nodes the cluster named when
    /// it was last reached: those of the configuration may all be gone. `avoided` did not answer last.
    pub(super) async fn open(
        &self,
        attempt: usize,
        known: &[Server],
        avoided: Option<&Server>,
    ) -> Result<Connection, BusError> {
        let (server, first) = self.server(attempt, known, avoided);
        // An address in what a cluster answers stands for the name of the node that was asked, if any.
        let is_named = first.host.parse::<IpAddr>().is_err();
        let hostnames = if is_named { TlsHostMapping::DefaultHost } else { TlsHostMapping::None };
        let config = Config {
            server,
            username: self.username.clone(),
            password: self.password.clone(),
            database: self.database,
            version: RespVersion::RESP3,
            tls: self.tls.clone().map(|connector| TlsConfig { connector, hostnames }),
            ..Config::default()
        };
        let (commands, subscriptions) = tokio::try_join!(Part::open(client(&config)?), Part::open(client(&config)?))?;
        Ok(Connection::new(commands, subscriptions))
    }

    /// Whether connecting anew may lead to another primary.
    pub(super) fn finds_primary(&self) -> bool {
        !matches!(self.servers, Servers::Single(_))
    }

    /// How many attempts ask one server each, until all were asked.
    pub(super) fn servers_to_try(&self, known: &[Server]) -> usize {
        match &self.servers {
            Servers::Single(_) | Servers::Sentinel { .. } => 1,
            Servers::Cluster(nodes) => nodes.len() + known.iter().filter(|node| !nodes.contains(node)).count(),
        }
    }

    /// Where this attempt goes, and which node it asks first.
    fn server(&self, attempt: usize, known: &[Server], avoided: Option<&Server>) -> (ServerConfig, Server) {
        match &self.servers {
            Servers::Single(server) => (ServerConfig::Centralized { server: server.clone() }, server.clone()),
            Servers::Cluster(nodes) => {
                let mut candidates = nodes.clone();
                candidates.extend(known.iter().filter(|node| !nodes.contains(node)).cloned());
                if candidates.len() > 1 {
                    candidates.retain(|node| Some(node) != avoided);
                }
                let first = candidates.swap_remove(attempt % candidates.len());
                let hosts = vec![first.clone()];
                (ServerConfig::Clustered { hosts, policy: ClusterDiscoveryPolicy::ConfigEndpoint }, first)
            }
            Servers::Sentinel { nodes, master, username, password } => {
                let mut hosts = nodes.clone();
                hosts.rotate_left(attempt % nodes.len());
                let first = hosts[0].clone();
                let server = ServerConfig::Sentinel {
                    hosts,
                    service_name: master.clone(),
                    username: username.clone(),
                    password: password.clone(),
                };
                (server, first)
            }
        }
    }
}

/// A client that connects once and never again by itself: a link that is lost gets new connections.
/// Old ones would keep a half-open connection to a cluster's node, and what they subscribed to there.
fn client(config: &Config) -> Result<Client, BusError> {
    let mut builder = Builder::from_config(config.clone());
    builder
        .with_performance_config(|performance| {
            performance.default_command_timeout = COMMAND_WITHIN;
            performance.broadcast_channel_capacity = MESSAGES_WAITING;
        })
        .with_connection_config(|connection| {
            connection.connection_timeout = COMMAND_WITHIN;
            connection.internal_command_timeout = COMMAND_WITHIN;
            connection.max_command_buffer_len = COMMANDS_WAITING;
            connection.max_command_attempts = COMMAND_ATTEMPTS;
            connection.tcp.nodelay = Some(true);
            // A refusal is an answer: what it means for the link is for [`super::link`] to say. (`CLUSTERDOWN` ends
            // the client's connections nevertheless.)
            connection.reconnect_errors = Vec::new();
        });
    Ok(builder.build()?)
}

fn servers(nodes: &[RedisNode]) -> Vec<Server> {
    nodes.iter().map(|node| Server::new(node.host.clone(), node.port)).collect()
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
