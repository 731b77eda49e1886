//! `server`: one instance, from the command line.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use server::{
    Instance,
    account::command::Command,
    config::{Config, LogConfig, LogFormat},
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Keeps every open browser in sync across instances. Without arguments: serves the site.
///
/// Set up by `app.toml` (or the file named by `JPULSE_CONFIG`) and the environment; see
/// docs/OPERATIONS.md.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

fn main() -> ExitCode {
    match start(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

#[tokio::main]
async fn start(command: Option<Command>) -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::load()?;
    log_to_standard_error(&config.log)?;
    if let Some(command) = command {
        return Ok(command.run(&config, &mut std::io::stdout()).await?);
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let instance = Instance::bind(config).await?;
    if let Some(password) = instance.first_password() {
        eprintln!("the first start made a user admin; its password, shown this once: {password}");
    }
    tracing::info!(instance = instance.id(), "listening on http://{}", instance.address()?);
    instance
        .run_until(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
        .await;
    Ok(())
}

fn log_to_standard_error(config: &LogConfig) -> Result<(), Box<dyn std::error::Error>> {
    // A session that cannot be loaded is no error: whoever asked for it says what became of it.
    let filter = EnvFilter::try_new(format!("tower_sessions_core=off,{}", config.filter)).map_err(|_| {
        format!("configuration: log.filter is {:?}: allowed is a level or a tracing filter", config.filter)
    })?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}
