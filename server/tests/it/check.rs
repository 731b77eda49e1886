//! `server check` as an operator sees it, against real servers set up well and badly.

use std::process::Command;

use serde_json::Value;
use server::config::Config;

use super::kit::{
    instance::Running,
    mongod::{Mongod, fresh_database},
    program::Program,
    redis::Redis,
    until,
};

const SECRET: &str = "0f3b9a7c51d84e26a1f7c3e90b5d2846";
const PASSWORD: &str = "not-to-be-guessed-by-anybody";

/// What the program says of this configuration: its exit code, and its findings by what they are about.
pub async fn check(variables: &[(&str, &str)]) -> (i32, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    command
        .env_clear()
        .args(["check", "--json"])
        .current_dir(folder.path())
        .env("LEPTOS_SITE_ROOT", folder.path())
        .env("JPULSE_DATA_DIR", folder.path().join("data"))
        .envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let findings = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code().unwrap(), findings)
}

/// The level of a finding, and its words.
fn finding(findings: &[Value], what: &str) -> (String, String) {
    let found = findings.iter().find(|finding| finding["what"] == what);
    let found = found.unwrap_or_else(|| panic!("nothing about {what} in {findings:#?}"));
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    (text("level"), format!("{}: {}", text("found"), text("cure")))
}

#[track_caller]
pub fn expect(findings: &[Value], what: &str, level: &str, words: &str) {
    let (found, text) = finding(findings, what);
    assert!(found == level && text.contains(words), "{what}: {level} {words}, but is {found} {text}");
}

#[tokio::test]
async fn a_site_set_up_well_has_nothing_but_oks() {
    let redis = Redis::start_with(&["--requirepass", PASSWORD, "--appendonly", "yes"]);
    let mongod = Mongod::shared_replica_set();
    let port = redis.port.to_string();
    let uri = mongod.uri(&fresh_database());
    let (code, findings) = check(&[
        ("REDIS_HOST", "127.0.0.1"),
        ("REDIS_PORT", &port),
        ("REDIS_PASSWORD", PASSWORD),
        ("MONGODB_URI", &uri),
        ("SESSION_SECRET", SECRET),
        ("JPULSE_MODE", "prod"),
        ("JPULSE__SERVER__TRUSTED_PROXIES", "[\"127.0.0.1\"]"),
        ("JPULSE__LIMITS__CONNECTIONS", "100"),
    ])
    .await;
    assert!(findings.iter().all(|finding| finding["level"] == "ok"), "{findings:#?}");
    assert_eq!(code, 0);
    expect(&findings, "documents", "ok", "replica set");
    expect(&findings, "redis memory", "ok", "noeviction");
    expect(&findings, "instance id", "ok", "free");
    until("nothing is left behind", async || redis.command("DBSIZE").trim() == ":0").await;
}

#[tokio::test]
async fn a_redis_set_up_badly_is_told_with_what_cures_it() {
    let redis = Redis::start_with(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let port = redis.port.to_string();
    let (code, findings) =
        check(&[("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", &port), ("JPULSE_REDIS_TLS", "true")]).await;
    assert_eq!(code, 1);
    expect(&findings, "environment", "warning", "JPULSE_REDIS_TLS is read by nothing");
    expect(&findings, "redis password", "warning", "REDIS_PASSWORD");
    expect(&findings, "redis memory", "error", "allkeys-lru");
    expect(&findings, "redis persistence", "warning", "appendonly yes");
    expect(&findings, "session secret", "error", "openssl rand -hex 32");
    expect(&findings, "documents", "warning", "MONGODB_URI");
    expect(&findings, "mode", "warning", "JPULSE_MODE=prod");
}

#[tokio::test]
async fn a_user_of_redis_without_all_channels_is_told_about_wildcards() {
    let redis = Redis::start();
    redis.command("ACL SETUSER narrow on >secret ~jpulse:* &jpulse:* +@all -@admin");
    redis.command("ACL SETUSER wide on >secret ~jpulse:* &* +@all -@admin");
    redis.command("ACL SETUSER other on >secret ~other:* &* +@all -@admin");
    let port = redis.port.to_string();
    let of = async |user: &str| {
        let variables = [
            ("REDIS_HOST", "127.0.0.1"),
            ("REDIS_PORT", &port),
            ("REDIS_PASSWORD", "secret"),
            ("JPULSE__REDIS__USERNAME", user),
        ];
        check(&variables).await.1
    };
    expect(&of("narrow").await, "redis permissions", "error", "&*");
    expect(&of("wide").await, "redis permissions", "ok", "everything");
    expect(&of("other").await, "redis permissions", "error", "~jpulse:dev:*");
}

#[tokio::test]
async fn a_server_that_is_not_reached_is_told() {
    let port = super::kit::free_port().to_string();
    let mongodb = format!("mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=300");
    let variables = [("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", &port), ("MONGODB_URI", &mongodb)];
    let (code, findings) = check(&variables).await;
    assert_eq!(code, 1);
    expect(&findings, "redis", "error", "127.0.0.1");
    expect(&findings, "documents", "error", "MONGODB_URI");
    let redis = Redis::start_with(&["--requirepass", PASSWORD]);
    let port = redis.port.to_string();
    let (_, findings) = check(&[("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", &port), ("REDIS_PASSWORD", "wrong")]).await;
    expect(&findings, "redis", "error", "WRONGPASS");
}

#[tokio::test]
async fn a_second_process_of_the_same_name_is_told() {
    let redis = Redis::start();
    let mut config = Config { redis: redis.config(), ..Config::default() };
    config.site.hostname = "checked-7".into();
    let port = redis.port.to_string();
    let variables = [
        ("REDIS_HOST", "127.0.0.1"),
        ("REDIS_PORT", port.as_str()),
        ("HOSTNAME", "checked-7"),
        ("JPULSE_INSTANCE", "0"),
    ];
    let first = Running::start(config).await;
    expect(&check(&variables).await.1, "instance id", "ok", "on this host");
    let second = Program::start(&variables).await;
    expect(&check(&variables).await.1, "instance id", "error", "2 processes want to be 7:0");
    second.stop().await;
    first.stop().await;
    redis.command("SET jpulse:dev:instance:7:0 1@elsewhere#x EX 60");
    expect(&check(&variables).await.1, "instance id", "error", "elsewhere");
}

#[test]
fn what_would_stop_a_start_is_told_without_asking_any_server() {
    let folder = tempfile::tempdir().unwrap();
    let run = |variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command.env_clear().args(["check", "--configuration"]).current_dir(folder.path());
        command.env("LEPTOS_SITE_ROOT", folder.path()).envs(variables.iter().copied());
        let output = command.output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    assert_eq!(run(&[("REDIS_HOST", "redis.invalid")]), (0, String::new()));
    for (variable, value, words) in [
        ("LEPTOS_SITE_ROOT", "nowhere", "there is no site"),
        ("MONGODB_URI", "http://x", "MONGODB_URI"),
        ("SESSION_SECRET", "short", "SESSION_SECRET"),
    ] {
        let (code, text) = run(&[(variable, value)]);
        assert!(code == 2 && text.contains(words) && text.trim_end().lines().count() == 1, "{variable}: {code} {text}");
    }
}

#[test]
fn people_read_one_line_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    command.env_clear().arg("check").current_dir(folder.path()).env("LEPTOS_SITE_ROOT", folder.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "alone on this host, nothing is wrong: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().next().unwrap().starts_with("ok       site folder"), "{text}");
    assert!(text.ends_with("0 errors, 0 warnings\n") || text.contains("open files"), "{text}");
    assert!(output.stderr.is_empty(), "the log is silent");
}
