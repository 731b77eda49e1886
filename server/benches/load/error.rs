//! What can go wrong while measuring; none of it is a figure.

use std::io;

use thiserror::Error;

/// How much of an unexpected answer is shown.
const SHOWN_BYTES: usize = 300;

/// Why there are no figures.
#[derive(Debug, Error)]
pub enum LoadError {
    /// An option of the environment is not one.
    #[error("{name} is {value:?}: allowed is {allowed}")]
    Option {
        /// The variable.
        name: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        allowed: &'static str,
    },
    /// Fewer open files than sockets are needed.
    #[error("at most {allowed} open files are allowed here: raise the hard limit to {needed} (ulimit -Hn {needed})")]
    OpenFiles {
        /// The hard limit.
        allowed: u64,
        /// Enough for every measurement.
        needed: u64,
    },
    /// A program does not start.
    #[error("cannot start {program}: {source}; run `make bench`, which installs and builds what is missing")]
    Start {
        /// What was started.
        program: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// A server ended or never got ready.
    #[error("{0} did not get ready; what it said stands above")]
    NotReady(String),
    /// The operating system tells nothing about a process.
    #[error("cannot read the {fact} of process {pid}; this needs Linux's /proc")]
    NoFact {
        /// What was asked.
        fact: &'static str,
        /// Of whom.
        pid: u32,
    },
    /// A server said something else than it should.
    #[error("expected {expected}, got {got}")]
    Unexpected {
        /// What should have come.
        expected: String,
        /// What came.
        got: String,
    },
    /// A server ended a socket.
    #[error("a socket was closed by the server (code {0:?})")]
    Closed(Option<u16>),
    /// Messages did not arrive.
    #[error("messages were lost: {published} were published, but only {complete} reached every subscriber")]
    Lost {
        /// Sent by the publisher.
        published: u64,
        /// Received by all.
        complete: u64,
    },
    /// A server did not answer in time.
    #[error("no answer within {0} s")]
    Silent(u64),
    /// The user ended it.
    #[error("interrupted")]
    Interrupted,
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A request failed.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}

impl LoadError {
    /// The server said `got` where it should have said `expected`.
    pub fn unexpected(expected: impl Into<String>, got: &[u8]) -> Self {
        let got = String::from_utf8_lossy(&got[..got.len().min(SHOWN_BYTES)]).into_owned();
        Self::Unexpected { expected: expected.into(), got }
    }
}
