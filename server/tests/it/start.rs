//! The program's start and stop, as an operator sees them.

use std::{
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
};

use super::kit::{free_port, until};

/// The program with nothing of this process's environment.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    command.env_clear().current_dir(folder).env("LEPTOS_SITE_ROOT", folder).env("JPULSE_DATA_DIR", folder.join("data"));
    command
}

/// What it said when it did not start.
fn refusal(output: Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.trim_end().lines().count(), 1, "one line: {text}");
    text
}

#[test]
fn a_bad_value_stops_the_start_with_its_key_its_value_and_what_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    for (variable, value, words) in [
        ("PORT", "abc", ["server.port (PORT)", "abc", "0 to 65535"]),
        ("PORT", "70000", ["server.port (PORT)", "70000", "0 to 65535"]),
        ("JPULSE_MODE", "test", ["site.mode (JPULSE_MODE)", "test", "dev, prod"]),
        ("JPULSE_SITE_ID", "my site", ["site.id", "my site", "A-Z"]),
        ("JPULSE_INSTANCE", "a:b", ["site.instance", "a:b", "A-Z"]),
        ("JPULSE__REDIS__MODE", "many", ["redis.mode", "many", "sentinel"]),
        ("JPULSE__REDIS__TLS", "perhaps", ["redis.tls", "perhaps", "true or false"]),
        ("JPULSE__REDIS__CLUSTER__NODES", "[{host=a,port=0}]", ["redis.cluster.nodes[0].port", "0", "1 to 65535"]),
        (
            "JPULSE__SERVER__TRUSTED_PROXIES",
            "[proxy.example]",
            ["server.trusted_proxies", "proxy.example", "10.0.0.0/8"],
        ),
        ("JPULSE__SERVER__ORIGINS", "[site.example]", ["server.origins", "site.example", "https://"]),
        ("JPULSE__CONFIG_CACHE__WARM_UP", "[config:*:a]", ["config_cache.warm_up", "config:*:a", "config:app:*"]),
        ("JPULSE__LIMITS__CONNECTIONS", "0", ["limits.connections", "0", "1 or more"]),
        ("JPULSE_CONFIG", "nowhere.toml", ["JPULSE_CONFIG", "nowhere.toml", "path"]),
    ] {
        let line = refusal(program(folder.path()).env(variable, value).output().unwrap());
        for word in words {
            assert!(line.contains(word), "{variable}={value}: {word} in {line}");
        }
    }
}

#[test]
fn a_broken_or_misspelt_file_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    for (text, word) in [("[server\nport = 1", "app.toml"), ("[server]\nprot = 1", "prot"), ("redis = 7", "redis")] {
        std::fs::write(folder.path().join("app.toml"), text).unwrap();
        let line = refusal(program(folder.path()).output().unwrap());
        assert!(line.contains(word), "{text:?}: {line}");
    }
}

#[test]
fn a_redis_that_cannot_be_reached_as_it_is_set_up_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty.pem"), "nothing").unwrap();
    for (text, words) in [
        ("[redis]\nmode = 'cluster'", ["redis.cluster.nodes", "[]", "{host, port}"]),
        ("[[redis.cluster.nodes]]\nhost = ''\nport = 1", ["redis.cluster.nodes[0].host", "\"\"", "a name"]),
        ("[[redis.sentinel.nodes]]\nhost = 'a'\nport = 1", ["redis.sentinel.master", "\"\"", "the name"]),
        ("[redis]\nmode = 'single'\nusername = 'site'", ["redis.username", "site", "redis.password"]),
        ("[redis]\nmode = 'single'\ntls = true\nca_file = 'no.pem'", ["redis.ca_file", "no.pem", "PEM"]),
        ("[redis]\nmode = 'single'\ntls = true\nca_file = 'empty.pem'", ["redis.ca_file", "empty.pem", "PEM"]),
        ("[redis]\nmode = 'single'\nca_file = 'empty.pem'", ["redis.ca_file", "empty.pem", "redis.tls"]),
    ] {
        std::fs::write(folder.path().join("app.toml"), text).unwrap();
        let line = refusal(program(folder.path()).output().unwrap());
        for word in words {
            assert!(line.contains(word), "{text:?}: {word} in {line}");
        }
    }
}

#[test]
fn a_secret_is_not_shown_in_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for (table, key) in [
        ("redis", "password"),
        ("redis.single", "password"),
        ("redis.cluster", "password"),
        ("redis.sentinel", "sentinel_password"),
    ] {
        std::fs::write(folder.path().join("app.toml"), format!("[{table}]\n{key} = 123456")).unwrap();
        let line = refusal(program(folder.path()).output().unwrap());
        assert!(line.contains(&format!("{table}.{key}")) && !line.contains("123456"), "{line}");
    }
}

#[test]
fn a_taken_port_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let line = refusal(program(folder.path()).env("PORT", &port).output().unwrap());
    assert!(line.contains(&port) && line.contains("PORT"), "{line}");
}

#[test]
fn a_variable_that_nothing_reads_is_named_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // A start that ends by itself.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut program = program(folder.path());
    program.env("PORT", taken.local_addr().unwrap().port().to_string());
    let output = program.env("JPULSE_REDIS_MODE", "single").env("JPULSE_TEST_ANY", "1").output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let warned: Vec<_> = text.lines().filter(|line| line.contains("WARN")).collect();
    assert!(warned.len() == 1 && warned[0].contains("JPULSE_REDIS_MODE is read by nothing"), "{text}");
    assert!(text.contains("PORT"), "it went on: {text}");
}

#[tokio::test]
async fn a_termination_is_graceful_and_leaves_exit_code_0() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let mut child = program(folder.path()).env("PORT", &port).stderr(Stdio::null()).spawn().unwrap();
    let ready = format!("http://127.0.0.1:{port}/api/1/health/status");
    until("it is ready", async || reqwest::get(&ready).await.is_ok_and(|answer| answer.status() == 200)).await;
    let terminated = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(terminated.success());
    let status = tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
}
