//! What instances hear each other through.

use std::time::Duration;

use tokio::time::timeout;
use uuid::Uuid;

use super::{Level, Report, is_here};
use crate::{
    bus::{Buckets, Bus, BusError, Inspected, Keys, Link, OutageCause, Put, Quota, RedisBus},
    config::{Config, RedisConfig, RedisMode},
    identity,
};

/// How long a heartbeat may take to come through.
const LINKED_WITHIN: Duration = Duration::from_secs(5);
/// Characters of a password that cannot be tried out.
const PASSWORD_CHARS: usize = 16;
/// How far clocks may be apart.
const SKEW: Duration = Duration::from_secs(2);
/// Life of what is written to try whether it may be.
const TRIAL_FOR: Duration = Duration::from_secs(10);
/// What is said of writing.
const WRITES: &str = "redis writes";
/// How many processes with one id are counted.
const NAMESAKES: usize = 16;

pub(super) async fn look(config: &Config, report: &mut Report) {
    let redis = &config.redis;
    if redis.effective_mode() == RedisMode::None {
        return report.ok("redis", "not set up: this instance is alone");
    }
    look_at_safety(redis, report);
    let hosts: Vec<_> = hosts(redis).iter().map(|(host, port)| format!("{host}:{port}")).collect();
    let hosts = hosts.join(", ");
    if let Err(error) = RedisBus::reach(redis).await {
        return report.fail("redis", format!("{hosts}: {error}"), "check the [redis] table, and that the server runs");
    }
    report.ok("redis", format!("{hosts}, {}", redis.effective_mode().as_str()));
    let Ok((bus, _inbox)) = RedisBus::start(redis, config.site.prefix()) else { return };
    let mut link = bus.link();
    let keys = bus.keys();
    if timeout(LINKED_WITHIN, link.wait_for(|link| *link == Link::Up)).await.is_ok() {
        report.ok(WRITES, "taken by every primary");
        look_at_permissions(&bus, &keys, config, report).await;
        look_at_servers(&keys, report).await;
        look_at_name(config, &keys, report).await;
    } else {
        look_at_outage(&bus, &keys, config, report).await;
    }
    bus.close().await;
}

/// Why there is no link, and what the servers say of themselves when they answer at all.
async fn look_at_outage(bus: &RedisBus, keys: &Keys, config: &Config, report: &mut Report) {
    let is_answering = keys.inspect().await.is_ok();
    match bus.last_outage() {
        Some(OutageCause::NoPerm) if is_answering => look_at_permissions(bus, keys, config, report).await,
        None | Some(OutageCause::Timeout | OutageCause::NoPerm) => report.fail(
            "redis link",
            "no message comes back: its user may not publish, or not subscribe, or not write",
            format!("permit all channels and the site's keys: ACL SETUSER … ~{}* &*", config.site.prefix()),
        ),
        Some(cause) => report.fail(WRITES, format!("{}: {}", cause.as_str(), cause.sentence()), cause.cure()),
    }
    if is_answering {
        look_at_servers(keys, report).await;
    }
}

/// Host and port of each server that is named.
fn hosts(redis: &RedisConfig) -> Vec<(String, u16)> {
    let nodes = match redis.effective_mode() {
        RedisMode::Cluster => &redis.cluster.nodes,
        RedisMode::Sentinel => &redis.sentinel.nodes,
        RedisMode::Single | RedisMode::None => return vec![(redis.single.host.clone(), redis.single.port)],
    };
    nodes.iter().map(|node| (node.host.clone(), node.port)).collect()
}

/// Whether others could read or write along.
fn look_at_safety(redis: &RedisConfig, report: &mut Report) {
    const PASSWORD: &str = "redis password";
    let is_local = hosts(redis).iter().all(|(host, _)| is_here(host));
    let cure = "set requirepass, or a user, in Redis and REDIS_PASSWORD here";
    match redis.effective_password().map(|password| password.chars().count()) {
        None => {
            let level = if is_local { Level::Warning } else { Level::Error };
            report.add(level, PASSWORD, "none: whoever reaches the port reads and writes everything", cure);
        }
        Some(count) if count < PASSWORD_CHARS => {
            report.warn(PASSWORD, format!("{count} characters: it can be tried out"), "take `openssl rand -hex 16`");
        }
        Some(count) => report.ok(PASSWORD, format!("{count} characters")),
    }
    match (redis.tls, is_local) {
        (true, _) => report.ok("redis encryption", "on"),
        (false, true) => report.ok("redis encryption", "not needed on this host"),
        (false, false) => report.warn(
            "redis encryption",
            "off, and it is on another host: who is between reads passwords, sessions and messages",
            "set redis.tls = true, unless the network is yours alone",
        ),
    }
}

/// Tries everything an instance does, on names that nobody else uses.
async fn look_at_permissions(bus: &RedisBus, keys: &Keys, config: &Config, report: &mut Report) {
    let name = format!("check:{}", Uuid::new_v4());
    let quota = Quota { every: Duration::from_millis(1), burst: 1 };
    let prefix = config.site.prefix();
    let trials = [
        ("keys", try_keys(keys, &name).await),
        ("scripts", bus.take(&name, quota, 1).await.map(drop)),
        ("wildcards of subscribers", RedisBus::try_wildcard(&config.redis, &prefix).await),
    ];
    let refused: Vec<String> =
        trials.into_iter().filter_map(|(what, tried)| tried.err().map(|error| format!("{what} ({error})"))).collect();
    if refused.is_empty() {
        return report.ok("redis permissions", "everything an instance does");
    }
    report.fail(
        "redis permissions",
        format!("not permitted: {}", refused.join(", ")),
        format!("such as: ACL SETUSER site ~{prefix}* &* +@all -@admin"),
    );
}

async fn try_keys(keys: &Keys, name: &str) -> Result<(), BusError> {
    let part = |part: &str| format!("{name}:{part}");
    keys.put(&part("text"), "may go", TRIAL_FOR, Put::Always).await?;
    keys.get_and_prolong(&part("text"), TRIAL_FOR).await?;
    keys.get_all(&[part("text")]).await?;
    keys.add_member(&part("set"), "may go", TRIAL_FOR).await?;
    keys.put_fields(&part("hash"), &[("may go".into(), 1)], TRIAL_FOR).await?;
    keys.note(&part("notes"), crate::clock::now_milliseconds(), "may go", TRIAL_FOR).await?;
    keys.scan(name, 1).await?;
    keys.remove_all(&["text", "set", "hash", "notes"].map(part)).await
}

async fn look_at_servers(keys: &Keys, report: &mut Report) {
    let servers = match keys.inspect().await {
        Ok(servers) => servers,
        Err(error) => {
            return report.fail("redis server", format!("says nothing of itself: {error}"), "permit INFO and TIME");
        }
    };
    for server in &servers {
        let named = |text: String| if server.node.is_empty() { text } else { format!("{}: {text}", server.node) };
        look_at_memory(server, &named, report);
        look_at_persistence(server, &named, report);
        let skew = named(format!("{:.1} s from this host's", server.skew.as_secs_f64()));
        if server.skew > SKEW {
            report.warn("redis clock", skew, "let both follow a time server; lives and orders are told by the clock");
        } else {
            report.ok("redis clock", skew);
        }
    }
}

/// All keys of an instance have a life, so that every policy but one may take any of them.
fn look_at_memory(server: &Inspected, named: &impl Fn(String) -> String, report: &mut Report) {
    const WHAT: &str = "redis memory";
    let fact = |name: &str| server.facts.get(name).map(String::as_str).unwrap_or_default();
    let (policy, limit) = (fact("maxmemory_policy"), fact("maxmemory"));
    if policy == "noeviction" {
        return report.ok(WHAT, named("maxmemory-policy noeviction".into()));
    }
    let level = if limit == "0" { Level::Warning } else { Level::Error };
    let when = if limit == "0" { "once there is a maxmemory" } else { "when memory is short" };
    report.add(
        level,
        WHAT,
        named(format!("maxmemory-policy {policy} removes sessions and logs before their time {when}")),
        "set maxmemory-policy noeviction, with memory enough",
    );
}

fn look_at_persistence(server: &Inspected, named: &impl Fn(String) -> String, report: &mut Report) {
    const WHAT: &str = "redis persistence";
    let fact = |name: &str| server.facts.get(name).map(String::as_str).unwrap_or_default();
    let failed = ["rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status"];
    if let Some(failed) = failed.into_iter().find(|name| !matches!(fact(name), "ok" | "")) {
        return report.fail(
            WHAT,
            named(format!("{failed} is {}: changes may be refused", fact(failed))),
            "free disk space, see Redis's log",
        );
    }
    if fact("aof_enabled") == "1" {
        return report.ok(WHAT, named("append-only file".into()));
    }
    report.warn(
        WHAT,
        named(
            "no append-only file: a restart signs everybody out and loses what browsers have yet to catch up on".into(),
        ),
        "set appendonly yes",
    );
}

/// Names must not be taken by others; the instance that is being checked may run, of course.
async fn look_at_name(config: &Config, keys: &Keys, report: &mut Report) {
    const WHAT: &str = "instance id";
    let id = identity::instance_id(&config.site);
    let namesakes = keys.scan(&format!("instance:{id}:"), NAMESAKES).await.unwrap_or_default().len();
    if namesakes > 0 {
        return report.fail(
            WHAT,
            format!("{} processes want to be {id}", namesakes + 1),
            "give each on a host a JPULSE_INSTANCE of its own, and each host a name (site.hostname)",
        );
    }
    let holder = keys.get(&format!("instance:{id}")).await.ok().flatten();
    let holder = holder.as_deref().and_then(|token| token.split('#').next()?.split_once('@'));
    match holder {
        None => report.ok(WHAT, format!("{id}, free")),
        Some((pid, host)) if *host == *gethostname::gethostname().to_string_lossy() => {
            report.ok(WHAT, format!("{id}, of process {pid} on this host"));
        }
        Some((pid, host)) => report.fail(
            WHAT,
            format!("{id} is taken by process {pid} on {host}"),
            "name the hosts differently (site.hostname), or set JPULSE_INSTANCE",
        ),
    }
}
