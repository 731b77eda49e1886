//! `server`: one instance, or several, from the command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use server::{
    Instance,
    account::command::Command as AccountCommand,
    check::{self, Check},
    config::Config,
    log,
    supervisor::{Instances, MemoryLimit, Supervisor, ward},
};
use tokio::signal::unix::{SignalKind, signal};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Keeps every open browser in sync across instances. Without arguments: serves the site.
///
/// Set up by `app.toml` (or the file named by `JPULSE_CONFIG`) and the environment; see
/// docs/OPERATIONS.md.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Serves with so many processes, on the configured port and those behind it; `max` is one for each processor.
    /// Who ends is started again; SIGHUP exchanges one after the other without refusing a connection.
    #[arg(long, value_name = "N|max")]
    instances: Option<Instances>,
    /// Replaces a process, gracefully and one at a time, that uses more memory than this: `512M`, `1G`.
    #[arg(long, value_name = "SIZE", requires = "instances")]
    max_memory: Option<MemoryLimit>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Account(AccountCommand),
    Check(Check),
}

fn main() -> ExitCode {
    start(Arguments::parse()).unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })
}

#[tokio::main]
async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    ward::follow()?;
    let config = Config::load()?;
    let supervisor = arguments.instances.map(|_| "supervisor".to_owned());
    // A check has its say on standard output, and nothing else has.
    if !matches!(arguments.command, Some(Command::Check(_))) {
        log::start(&config.log, supervisor.or_else(|| ward::source(&config)))?;
        if !ward::has_supervisor() {
            for line in Config::unread_variables() {
                tracing::warn!("environment: {line}");
            }
        }
    }
    match (arguments.command, arguments.instances) {
        (Some(Command::Account(command)), _) => command.run(&config, &mut std::io::stdout()).await?,
        (Some(Command::Check(check)), _) => return Ok(check::run(&check, &config, &mut std::io::stdout()).await?),
        (None, Some(instances)) => {
            return Ok(Supervisor::bind(&config, instances, arguments.max_memory).await?.run().await);
        }
        (None, None) => serve(config).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mark = ward::source(&config);
    let instance = Instance::bind(config).await?;
    if let Some(password) = instance.first_password() {
        let mark = mark.map(|source| format!("[{source}] ")).unwrap_or_default();
        eprintln!("{mark}the first start made a user admin; its password, shown this once: {password}");
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
