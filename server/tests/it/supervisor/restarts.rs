//! Processes that are started again, and who counts them.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    thread::available_parallelism,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{super::kit::until_within, Launcher, answers, kill, runs};

const PROGRAM: &str = env!("CARGO_BIN_EXE_server");
const ADMIN: (&str, &str) = ("JPULSE_ADMIN_PASSWORD", "a password of the tests");

/// What an instance reports of itself to an administrator.
async fn reported(address: SocketAddr) -> Value {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    let body = json!({ "username": "admin", "password": ADMIN.1 });
    let answer = client.post(format!("http://{address}/api/1/auth/login")).json(&body).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let answer = client.get(format!("http://{address}/api/1/metrics")).header("Cookie", &cookie).send().await.unwrap();
    let mut all: Value = answer.json().await.unwrap();
    all["data"].take()
}

async fn metric(address: SocketAddr, name: &str) -> Option<u64> {
    let text = reqwest::get(format!("http://{address}/metrics")).await.ok()?.text().await.ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn every_restart_of_an_instance_is_counted_where_operators_look() {
    let launcher = Launcher::start_ready(2, &[ADMIN]).await;
    let [first, second] = [0, 1].map(|place| launcher.served()[place]);
    for time in 0..2 {
        kill(launcher.served().into_iter().rfind(|served| served.instance == first.instance).unwrap());
        launcher.is_ready(3 + time).await;
    }
    let all = reported(first.address).await;
    assert_eq!(all["servers"][0]["instances"][0]["restarts"], 2, "{all}");
    assert_eq!(all["statistics"]["totalRestarts"], 2);
    assert_eq!(metric(first.address, "jpulse_restarts_total").await, Some(2));
    assert_eq!(metric(second.address, "jpulse_restarts_total").await, Some(0), "the other one was never restarted");
    // A reload is asked for by the operator, and is no restart.
    launcher.signal(Signal::HUP);
    launcher.says("\"reloaded\"").await;
    assert_eq!(metric(first.address, "jpulse_restarts_total").await, Some(2));
}

#[tokio::test]
async fn an_instance_that_uses_too_much_memory_is_replaced_gracefully_one_at_a_time() {
    let arguments = ["--instances", "2", "--max-memory", "1M"];
    let mut launcher = Launcher::start_with(Path::new(PROGRAM), &arguments, &[]);
    // Each of the two is replaced as soon as it is seen to be too large, and then, in a row, after pauses only.
    let served = launcher.is_ready(4).await;
    let warned = launcher.said("uses too much memory");
    assert!(warned.len() >= 2, "{:?}", launcher.lines());
    assert!(warned.iter().all(|line| line["fields"]["bytes"].as_u64() > Some(1 << 20)), "{warned:?}");
    for instance in 0..2 {
        let of_it: Vec<_> = served.iter().filter(|one| one.instance == instance).copied().collect();
        let [before, again] = of_it[..] else { panic!("{served:?}") };
        assert_eq!((again.address, runs(before), runs(again)), (before.address, false, true));
        assert!(answers(again.address).await);
        assert_eq!(metric(again.address, "jpulse_restarts_total").await, Some(1));
    }
    // Gracefully: nobody was killed, and nobody ended by itself.
    assert!(launcher.said("an instance ended by itself").is_empty());
    let stopped = launcher.lines().iter().filter(|line| line.contains("\"stopping\"")).count();
    assert_eq!(stopped, 2, "{:?}", launcher.lines());
    // One at a time: the second process ends only when the successor of the first is ready.
    let order: Vec<String> = launcher
        .lines()
        .iter()
        .filter(|line| line.contains("\"stopping\"") || line.contains("an instance is ready"))
        .map(|line| if line.contains("\"stopping\"") { "stops" } else { "ready" }.to_owned())
        .collect();
    let from = order.iter().position(|what| what == "stops").unwrap();
    assert_eq!(order[from..].iter().filter(|what| *what == "stops").count(), 2);
    assert!(!order.windows(2).any(|pair| pair == ["stops", "stops"]), "{order:?}");
    launcher.signal(Signal::TERM);
    assert_eq!(launcher.ended().await.code(), Some(0));
}

#[tokio::test]
async fn max_starts_one_instance_for_each_processor() {
    let processors = available_parallelism().unwrap().get();
    let launcher = Launcher::start_with(Path::new(PROGRAM), &["--instances", "max"], &[]);
    let served = launcher.is_ready(processors).await;
    assert!(served.iter().copied().all(runs));
    assert_eq!(launcher.said("an instance starts").len(), processors);
}

#[tokio::test]
async fn a_number_of_instances_or_a_size_that_is_none_is_refused_with_what_is_allowed() {
    for (arguments, words) in [
        (&["--instances", "many"][..], "1 to 64, or max"),
        (&["--instances", "65"][..], "1 to 64, or max"),
        (&["--instances", "2", "--max-memory", "1T"][..], "512M, 1G"),
        (&["--max-memory", "1G"][..], "--instances"),
    ] {
        let mut command = Command::new(PROGRAM);
        let output = command.args(arguments).env_clear().stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(words), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn an_instance_under_pm2_reports_what_pm2_counted() {
    let counted = super::super::kit::program::Program::start(&[("pm_id", "3"), ("restart_time", "5")]).await;
    until_within(Duration::from_secs(5), "it is reported", async || {
        metric(counted.address, "jpulse_restarts_total").await == Some(5)
    })
    .await;
}
