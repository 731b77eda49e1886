//! What one instance, and two with Redis, can carry: the measurements behind `make bench`.
//!
//! Starts the real release binary (and a private Redis) on free ports, loads it over real sockets from
//! this process, and reads the processor time and memory the servers took from the operating system.
//! The figures depend on the machine and fail nothing; a lost, repeated or disordered message does.
//! What each figure means, and how to read it, is in docs/BENCHMARKS.md.

#[path = "load/channel.rs"]
mod channel;
#[path = "load/connects.rs"]
mod connects;
#[path = "load/endpoints.rs"]
mod endpoints;
#[path = "load/error.rs"]
mod error;
#[path = "load/fan_out.rs"]
mod fan_out;
#[path = "load/flush.rs"]
mod flush;
#[path = "load/frames.rs"]
mod frames;
#[path = "load/instance.rs"]
mod instance;
#[path = "load/joins.rs"]
mod joins;
#[path = "load/latency.rs"]
mod latency;
#[path = "load/machine.rs"]
mod machine;
#[path = "load/memory.rs"]
mod memory;
#[path = "load/observe.rs"]
mod observe;
#[path = "load/options.rs"]
mod options;
#[path = "load/pages.rs"]
mod pages;
#[path = "load/process.rs"]
mod process;
#[path = "load/redis.rs"]
mod redis;
#[path = "load/report.rs"]
mod report;
#[path = "load/resume.rs"]
mod resume;
#[path = "load/sessions.rs"]
mod sessions;
#[path = "load/setting.rs"]
mod setting;
#[path = "load/socket.rs"]
mod socket;
#[path = "load/tally.rs"]
mod tally;

use std::process::ExitCode;

use error::LoadError;
use options::{Measurement, Options};
use report::Row;
use setting::Setting;
use tokio::{runtime::Builder, task::LocalSet};

fn main() -> ExitCode {
    let mut rows = Vec::new();
    let outcome = measure_all(&mut rows);
    report::print(&rows);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Fills `rows` as far as it gets. One thread for all clients: the servers need the other processors.
fn measure_all(rows: &mut Vec<Row>) -> Result<(), LoadError> {
    let options = Options::from_environment()?;
    machine::raise_open_files()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        tokio::select! {
            measured = measure(options, rows) => measured,
            // Dropping the measurement ends its servers and removes their folders.
            _ = tokio::signal::ctrl_c() => Err(LoadError::Interrupted),
        }
    })
}

async fn measure(options: Options, rows: &mut Vec<Row>) -> Result<(), LoadError> {
    for measurement in options.measurements {
        match measurement {
            Measurement::FanOut => {
                for setting in [Setting::Alone, Setting::Two] {
                    for subscribers in [500, 2_000] {
                        rows.extend(fan_out::measure(setting, subscribers, options.duration).await?);
                    }
                }
            }
            Measurement::Latency => rows.extend(latency::measure(options.duration * 2).await?),
            Measurement::Connects => rows.extend(connects::measure().await?),
            Measurement::Memory => rows.extend(memory::measure().await?),
            Measurement::Pages => rows.extend(pages::measure(options.duration).await?),
            Measurement::Joins => rows.extend(joins::measure().await?),
            Measurement::Resume => rows.extend(resume::measure().await?),
            Measurement::Flush => rows.extend(flush::measure().await?),
            Measurement::Sessions => rows.extend(sessions::measure().await?),
            Measurement::Observe => rows.extend(Box::pin(observe::measure()).await?),
            Measurement::Endpoints => rows.extend(endpoints::measure(options.duration).await?),
        }
    }
    Ok(())
}
