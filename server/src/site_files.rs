//! Where the files of the built site are, and what they are called.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use leptos::config::{Env, LeptosOptions};
use thiserror::Error;

use crate::config::ServerConfig;

/// There are none; one line with the cure.
#[derive(Debug, Error)]
#[error("there is no site in {}: build it with `make build` or set LEPTOS_SITE_ROOT", .0.display())]
pub struct MissingSite(PathBuf);

/// The configured folder, or `site` beside the binary or one folder up.
///
/// # Errors
///
/// When it is not there.
pub fn root(config: &ServerConfig) -> Result<PathBuf, MissingSite> {
    let configured = &config.site_root;
    let root = if configured.as_os_str().is_empty() { beside_binary() } else { configured.clone() };
    if root.is_dir() { Ok(root) } else { Err(MissingSite(root)) }
}

/// What rendering pages needs to know of them.
///
/// # Errors
///
/// When they are not there.
pub fn leptos_options(config: &ServerConfig) -> Result<LeptosOptions, MissingSite> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let root = root(config)?;
    let hash_file = root.join("hash.txt");
    let hash_files =
        variable("LEPTOS_HASH_FILES").map_or_else(|| hash_file.is_file(), |value| value.eq_ignore_ascii_case("true"));
    Ok(LeptosOptions::builder()
        .output_name(variable("LEPTOS_OUTPUT_NAME").unwrap_or_else(|| "jpulse".to_owned()))
        .site_pkg_dir(variable("LEPTOS_SITE_PKG_DIR").unwrap_or_else(|| "pkg".to_owned()))
        .site_root(root.to_string_lossy().into_owned())
        .site_addr(SocketAddr::new(config.host, config.port))
        .hash_file(hash_file.to_string_lossy().into())
        .hash_files(hash_files)
        .env(if variable("LEPTOS_WATCH").is_some() { Env::DEV } else { Env::PROD })
        .build())
}

fn beside_binary() -> PathBuf {
    let binary = std::env::current_exe().unwrap_or_default();
    let folder = binary.parent().unwrap_or(Path::new(""));
    let beside = folder.join("site");
    if beside.is_dir() { beside } else { folder.parent().unwrap_or(folder).join("site") }
}
