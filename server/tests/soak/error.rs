//! Why a run could not be judged, or what it showed.

use std::io;

use thiserror::Error;

/// Why there is no clean result.
#[derive(Debug, Error)]
pub enum SoakError {
    /// A variable of the environment says something that is not allowed.
    #[error("{name} is {value:?}: allowed is {allowed}")]
    Option {
        /// The variable.
        name: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        allowed: &'static str,
    },
    /// A program does not start.
    #[error("cannot start {program}: {source}; `make test` installs and builds what is missing")]
    Start {
        /// What was started.
        program: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// A server ended or never got ready.
    #[error("{0} did not get ready")]
    NotReady(String),
    /// Something that must happen once all faults are over did not.
    #[error("{what} did not happen within {seconds} s after the last fault")]
    NotHealed {
        /// What.
        what: String,
        /// How long was waited.
        seconds: u64,
    },
    /// A promise was broken; the report says which.
    #[error("promises were broken: {0}")]
    Broken(String),
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
