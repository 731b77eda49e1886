//! Where documents are.

use std::time::Duration;

use tokio::time::timeout;

use super::{Report, is_here};
use crate::{
    config::{Config, RedisMode},
    store::Store,
};

const WHAT: &str = "documents";
/// How long MongoDB may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(6);

pub(super) async fn look(config: &Config, report: &mut Report) {
    let uri = &config.mongodb.uri;
    if uri.is_empty() {
        if config.redis.effective_mode() == RedisMode::None {
            return report.ok(WHAT, "in a file of this instance");
        }
        return report.warn(
            WHAT,
            "in a file of each instance, so that instances show different ones",
            "let all use one MongoDB: MONGODB_URI",
        );
    }
    look_at_address(uri, report);
    let store = match Store::mongo(uri).await {
        Ok(store) => store,
        Err(error) => return report.fail(WHAT, error.to_string(), "mend the address"),
    };
    let facts = timeout(ANSWER_WITHIN, store.facts()).await.unwrap_or_default();
    store.close().await;
    if !facts.is_well {
        return report.fail(WHAT, "MongoDB does not answer", "check MONGODB_URI, its user and that the server runs");
    }
    let version = facts.server["version"].as_str().unwrap_or("of unknown version").to_owned();
    match facts.has_transactions {
        Some(true) => report.ok(WHAT, format!("MongoDB {version}, a replica set")),
        _ => report.warn(
            WHAT,
            format!("MongoDB {version} stands alone: nobody takes over when it is lost"),
            "make it a replica set; the site then uses transactions by itself",
        ),
    }
}

/// Whether others could read or write along.
fn look_at_address(uri: &str, report: &mut Report) {
    let (scheme, rest) = uri.split_once("://").unwrap_or_default();
    let (authority, options) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) = authority.rsplit_once('@').map_or((None, authority), |(user, hosts)| (Some(user), hosts));
    let is_local = hosts.split(',').all(|host| is_here(host.rsplit_once(':').map_or(host, |(name, _)| name)));
    if is_local {
        return;
    }
    if user.is_none() && !options.contains("authMechanism") {
        report.fail(
            "MongoDB user",
            "none: whoever reaches the port reads and changes everything",
            "give the site a user of its own: mongodb://user:password@…",
        );
    }
    let is_encrypted = scheme.ends_with("+srv") || options.contains("tls=true") || options.contains("ssl=true");
    if !is_encrypted {
        report.warn("MongoDB encryption", "none, and it is on another host", "add tls=true to MONGODB_URI");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_elsewhere_wants_a_user_and_encryption() {
        let found = |uri: &str| {
            let mut report = Report::default();
            look_at_address(uri, &mut report);
            report.findings().iter().map(|finding| finding.what).collect::<Vec<_>>()
        };
        assert!(found("mongodb://127.0.0.1:27017/site").is_empty() && found("mongodb://localhost,[::1]:1").is_empty());
        assert_eq!(found("mongodb://db.example/site"), ["MongoDB user", "MongoDB encryption"]);
        assert_eq!(found("mongodb://a:b@db.example:27017,127.0.0.1/site?tls=true"), Vec::<&str>::new());
        assert_eq!(found("mongodb+srv://db.example/site"), ["MongoDB user"]);
    }
}
