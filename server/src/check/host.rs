//! This host: folders, limits, and what the site's front door depends on.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use rustix::process::{Resource, getrlimit};

use super::{Report, is_here};
use crate::{
    config::{Config, Mode, RedisMode},
    site_files,
};

/// Files an instance needs beside connections.
const OTHER_FILES: u64 = 256;

pub(super) fn look(config: &Config, report: &mut Report) {
    match site_files::root(&config.server) {
        Ok(root) => report.ok("site folder", root.display().to_string()),
        Err(error) => report.fail("site folder", error.to_string(), "without it nothing starts"),
    }
    look_at_data(config, report);
    look_at_files(config, report);
    for line in Config::unread_variables() {
        report.warn("environment", line, "correct its name, or unset it");
    }
    let is_public = !is_here(&config.server.host.to_string()) || config.redis.effective_mode() != RedisMode::None;
    match config.site.mode {
        Mode::Prod => report.ok("mode", "prod"),
        Mode::Dev if is_public => {
            report.warn("mode", "dev: sessions go over connections that can be read", "set JPULSE_MODE=prod");
        }
        Mode::Dev => report.ok("mode", "dev"),
    }
    let proxies = config.server.trusted_proxies.len();
    match config.site.mode {
        Mode::Prod if proxies == 0 => report.warn(
            "trusted proxies",
            "none: behind a proxy everybody counts as one visitor, and nobody as encrypted",
            "name the proxy's addresses in server.trusted_proxies",
        ),
        _ => report.ok("trusted proxies", proxies.to_string()),
    }
}

/// Where documents and secrets are, unless they are elsewhere.
fn look_at_data(config: &Config, report: &mut Report) {
    const WHAT: &str = "data folder";
    if !config.mongodb.uri.is_empty() && !config.sessions.secret.is_empty() {
        return report.ok(WHAT, "not needed");
    }
    let folder = &config.server.data_dir;
    let shown = folder.display();
    match try_write(folder) {
        Ok(()) => report.ok(WHAT, shown.to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            report.ok(WHAT, format!("{shown} is made at the first start"));
        }
        Err(error) => report.fail(
            WHAT,
            format!("{shown}: {error}"),
            "make it writable for this user, or name another one in JPULSE_DATA_DIR",
        ),
    }
}

fn try_write(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".check-{}", std::process::id()));
    fs::File::create_new(&path)?.write_all(b"may go")?;
    fs::remove_file(path)
}

/// An instance raises its own limit, as far as it may.
fn look_at_files(config: &Config, report: &mut Report) {
    const WHAT: &str = "open files";
    let wanted = u64::try_from(config.limits.connections).unwrap_or(u64::MAX).saturating_add(OTHER_FILES);
    match getrlimit(Resource::Nofile).maximum {
        Some(most) if most < wanted => report.warn(
            WHAT,
            format!("{most}: room for {} connections", most.saturating_sub(OTHER_FILES)),
            format!("allow {wanted}, such as by LimitNOFILE= in a systemd unit, or lower limits.connections"),
        ),
        Some(most) => report.ok(WHAT, most.to_string()),
        None => report.ok(WHAT, "without a limit"),
    }
}
