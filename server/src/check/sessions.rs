//! What signs the cookies of visitors.

use std::collections::HashSet;

use super::Report;
use crate::config::{Config, RedisMode};

/// Different characters a random secret of the least length has, give or take.
const DIFFERENT: usize = 10;
const WHAT: &str = "session secret";

pub(super) fn look(config: &Config, report: &mut Report) {
    let secret = &config.sessions.secret;
    let is_shared = config.redis.effective_mode() != RedisMode::None;
    // Shorter than 32 is no configuration.
    if secret.is_empty() && is_shared {
        report.fail(
            WHAT,
            "none is set: who signs in on one host is a guest on the others",
            "set SESSION_SECRET to the same on every instance, such as from `openssl rand -hex 32`",
        );
    } else if secret.is_empty() {
        report.ok(WHAT, "made at the first start and kept in the data folder");
    } else if secret.chars().collect::<HashSet<_>>().len() < DIFFERENT {
        report.warn(WHAT, "long enough, but easy to guess", "take a random one: `openssl rand -hex 32`");
    } else {
        report.ok(WHAT, format!("{} characters", secret.chars().count()));
    }
}
