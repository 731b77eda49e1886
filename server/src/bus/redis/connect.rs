//! Clients for every way Redis can be set up.

use std::time::Duration;

use fred::{
    prelude::{Builder, Client, Config, ReconnectPolicy, Server, ServerConfig},
    types::{
        RespVersion,
        config::{ClusterDiscoveryPolicy, ReconnectError, UnresponsiveConfig},
    },
};

use super::BusError;
use crate::config::{RedisConfig, RedisMode, RedisNode};

/// How long a command may take.
const COMMAND_WITHIN: Duration = Duration::from_secs(2);
/// Commands that wait for the connection at most; more are refused at once.
const COMMANDS_WAITING: usize = 10_000;
/// Messages that wait for [`super::receive`] at most; what falls out is fetched from the log.
const MESSAGES_WAITING: usize = 16_384;

/// The commands' client and the subscriptions' client, not yet connected.
pub(super) fn clients(config: &RedisConfig) -> Result<(Client, Client), BusError> {
    let host = |host: &str| if host.is_empty() { "127.0.0.1".to_owned() } else { host.to_owned() };
    let servers = |nodes: &[RedisNode]| nodes.iter().map(|node| Server::new(node.host.clone(), node.port)).collect();
    let (server, password, database) = match config.effective_mode() {
        RedisMode::Cluster => (
            ServerConfig::Clustered {
                hosts: servers(&config.cluster.nodes),
                policy: ClusterDiscoveryPolicy::default(),
            },
            &config.cluster.password,
            None,
        ),
        RedisMode::Sentinel => (
            ServerConfig::Sentinel {
                hosts: servers(&config.sentinel.nodes),
                service_name: config.sentinel.master.clone(),
            },
            &config.sentinel.password,
            None,
        ),
        RedisMode::Single | RedisMode::None => (
            ServerConfig::new_centralized(host(&config.single.host), config.single.port),
            &config.single.password,
            (config.single.db > 0).then_some(config.single.db),
        ),
    };
    let mut builder = Builder::from_config(Config {
        server,
        password: (!password.is_empty()).then(|| password.clone()),
        database,
        version: RespVersion::RESP3,
        fail_fast: false,
        ..Config::default()
    });
    builder
        .set_policy(ReconnectPolicy::new_exponential(0, 100, 1_000, 2))
        .with_performance_config(|performance| {
            performance.default_command_timeout = COMMAND_WITHIN;
            performance.broadcast_channel_capacity = MESSAGES_WAITING;
        })
        .with_connection_config(|connection| {
            connection.connection_timeout = COMMAND_WITHIN;
            connection.internal_command_timeout = COMMAND_WITHIN;
            connection.max_command_buffer_len = COMMANDS_WAITING;
            // A publish that may have happened is retried by the outbox, which knows how.
            connection.max_command_attempts = 1;
            connection.tcp.nodelay = Some(true);
            connection.unresponsive =
                UnresponsiveConfig { max_timeout: Some(COMMAND_WITHIN * 2), interval: COMMAND_WITHIN / 2 };
            connection.reconnect_errors = vec![
                ReconnectError::ClusterDown,
                ReconnectError::Loading,
                ReconnectError::MasterDown,
                ReconnectError::ReadOnly,
            ];
        });
    Ok((builder.build()?, builder.build()?))
}
