//! Tools of this workspace.
//!
//! `cargo xtask build` makes the release site: the frontend is compiled for the browser, bound to
//! JavaScript and made small ([`module`]), and so is what plain pages load ([`plain_pages`]); style sheets become one ([`style`]); assets are copied
//! ([`files`]); names get a hash of the content ([`hash`]); everything is compressed ahead
//! ([`precompress`]). `cargo xtask compare LEFT RIGHT` tells whether two sites are the same.

mod compare;
mod error;
mod files;
mod hash;
mod module;
mod plain_pages;
mod precompress;
mod program;
mod project;
mod report;
mod site;
mod style;

use std::{env, error::Error, path::Path, process::ExitCode};

use error::BuildError;
use project::Project;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["build"] => Project::read().and_then(|project| site::build(&project)),
        ["compare", left, right] => compare::sites(Path::new(left), Path::new(right)),
        _ => Err(BuildError::Usage),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

/// The whole story on one line.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
