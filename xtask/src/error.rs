//! What can go wrong while the site is built, told to whoever runs the build.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why the site was not built; the message names the cure where there is one.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The command line is none of ours.
    #[error("usage: cargo xtask build | compare LEFT RIGHT")]
    Usage,
    /// A file or folder could not be read or written.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// What was tried, as a verb.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A program is not installed.
    #[error("cannot run {program}; install it with: {cure}")]
    Missing {
        /// Its name.
        program: String,
        /// What installs it.
        cure: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// A program ran and failed; it has said why itself.
    #[error("{program} failed")]
    Failed {
        /// Its name.
        program: String,
    },
    /// The manifest lacks what the build needs.
    #[error("cannot read `[[workspace.metadata.leptos]]` of Cargo.toml")]
    Manifest(#[source] Option<serde_json::Error>),
    /// The compiled frontend could not be turned into a module and its JavaScript.
    #[error("wasm-bindgen refused the compiled frontend: {0}")]
    Bind(String),
    /// The style sheet is not valid.
    #[error("the style sheet is not valid: {0}")]
    Style(String),
    /// Two sites are not the same.
    #[error("the sites differ:\n  {}", .0.join("\n  "))]
    Different(Vec<String>),
}

impl BuildError {
    /// For `map_err`: a failed attempt at `doing` something with the file at `path`.
    pub fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }
}
