//! The deployment checklist: looks at the configuration in force and at what stands behind it, and says what is
//! wrong and what cures it. Runs beside running instances as well as before the first start.

mod finding;
mod host;
mod redis;
mod sessions;
mod store;

use std::{io, process::ExitCode};

use clap::Args;
use thiserror::Error;

use crate::{
    bus::{BusError, RedisBus},
    config::Config,
    site_files::{self, MissingSite},
    store::{OpenError, Store},
};
use finding::Level;
pub use finding::{Finding, Report};

/// Looks at the configuration and at the Redis and MongoDB behind it, and says what is wrong: one line each, `ok`,
/// `warning` or `error`. Exit code 1 with any error.
#[derive(Args, Debug)]
pub struct Check {
    /// Only tries whether an instance would start with this configuration; asks no server, and is silent unless
    /// something is wrong: exit code 2.
    #[arg(long, conflicts_with = "json")]
    configuration: bool,
    /// Prints a list of objects: level, what, found, cure.
    #[arg(long)]
    json: bool,
}

/// Why there is no report; one line.
#[derive(Debug, Error)]
pub enum CheckError {
    /// Redis cannot be reached the way it is set up.
    #[error("configuration: redis: {0}")]
    Redis(#[from] BusError),
    /// The address of MongoDB is malformed.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The site's files are not where they should be.
    #[error(transparent)]
    Site(#[from] MissingSite),
    /// Standard output is closed.
    #[error("standard output: {0}")]
    Standard(#[from] io::Error),
}

/// Does it; what it finds goes to `out`.
///
/// # Errors
///
/// When nothing can be said, or nobody hears it.
pub async fn run(check: &Check, config: &Config, out: &mut (impl io::Write + Send)) -> Result<ExitCode, CheckError> {
    if check.configuration {
        try_configuration(config).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = report(config).await;
    if check.json {
        report.write_json(out)?;
    } else {
        report.write_lines(out)?;
    }
    Ok(if report.has_errors() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Everything there is to say of a configuration.
pub async fn report(config: &Config) -> Report {
    let mut report = Report::default();
    host::look(config, &mut report);
    sessions::look(config, &mut report);
    redis::look(config, &mut report).await;
    store::look(config, &mut report).await;
    report
}

/// What a start would stumble over, as far as it can be known without starting.
async fn try_configuration(config: &Config) -> Result<(), CheckError> {
    site_files::root(&config.server)?;
    RedisBus::can_start(&config.redis)?;
    if !config.mongodb.uri.is_empty() {
        Store::mongo(&config.mongodb.uri).await?.close().await;
    }
    Ok(())
}

/// Whether a host is this machine itself, so that nobody else hears what is said to it.
fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.is_empty() || host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
