//! What the processes are started with, beside the supervisor's own environment.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;

use super::{keeper::Post, ward};
use crate::{
    config::Config,
    session::{SecretError, kept_secret},
};

/// Beyond the time a stop may take by configuration: for the process itself to end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// One for all instances; a reload makes it anew.
pub(super) struct Plan {
    program: PathBuf,
    /// Made here where none is configured, so that who signs in on one instance is known on all.
    secret: Option<String>,
    /// Where each instance has a folder for its store, which no two can share; `None` with MongoDB.
    stores: Option<PathBuf>,
    /// How long a process may take to stop before it is killed.
    pub(super) stop_within: Duration,
}

impl Plan {
    pub(super) fn new(config: &Config, program: &Path) -> Result<Self, SecretError> {
        let data_dir = &config.server.data_dir;
        let secret = if config.sessions.secret.is_empty() { Some(kept_secret(data_dir)?) } else { None };
        Ok(Self {
            program: program.to_owned(),
            secret,
            stores: config.mongodb.uri.is_empty().then(|| data_dir.clone()),
            stop_within: config.server.shutdown_within() + LAST_WORDS,
        })
    }

    /// How an instance's process is started, which knows how often that was done again.
    pub(super) fn command(&self, post: &Post, restarts: u32) -> io::Result<Command> {
        let mut command = self.bare_command(post.number, post.address);
        command.stdin(socket(&post.listener)?).env("JPULSE__SERVER__LISTEN", "stdin");
        ward::count_restarts(&mut command, restarts);
        Ok(command)
    }

    /// How this program is asked whether an instance would start.
    pub(super) fn trial(&self) -> Command {
        let mut command = self.bare_command(0, SocketAddr::from(([127, 0, 0, 1], 0)));
        command.args(["check", "--configuration"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn bare_command(&self, number: u16, address: SocketAddr) -> Command {
        let mut command = Command::new(&self.program);
        command.env("JPULSE_INSTANCE", number.to_string()).env("PORT", address.port().to_string());
        if let Some(secret) = &self.secret {
            command.env("SESSION_SECRET", secret);
        }
        // The first has the folder itself: what a single instance kept is not gone.
        if let Some(stores) = self.stores.as_ref().filter(|_| number > 0) {
            command.env("JPULSE_DATA_DIR", stores.join(format!("instance-{number}")));
        }
        ward::mark(&mut command);
        // Of its own group: a Ctrl-C is for the supervisor, which passes it on. Gone with it when that panics.
        command.process_group(0).kill_on_drop(true);
        command
    }
}

/// The same socket once more, for a process.
fn socket(listener: &TcpListener) -> io::Result<Stdio> {
    Ok(OwnedFd::from(listener.try_clone()?).into())
}
