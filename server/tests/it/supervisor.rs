//! Several instances of one host, as an operator sees them.

mod listener;
mod restarts;
mod rolling;

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::kit::{
    SOON,
    launcher::{Launcher, Served},
    until,
};

async fn answers(address: SocketAddr) -> bool {
    reqwest::get(format!("http://{address}/api/1/health/status")).await.is_ok_and(|answer| answer.status() == 200)
}

fn kill(served: Served) {
    kill_process(Pid::from_raw(served.pid.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
}

fn runs(served: Served) -> bool {
    Path::new(&format!("/proc/{}", served.pid)).exists()
}

#[tokio::test]
async fn an_instance_that_crashed_is_started_again_on_its_port() {
    let mut launcher = Launcher::start_ready(2, &[]).await;
    let [first, second]: [Served; 2] = launcher.served().try_into().unwrap();
    kill(first);
    let again = launcher.is_ready(3).await[2];
    assert_eq!((again.instance, again.address), (first.instance, first.address));
    assert!(again.pid != first.pid && runs(second), "the other one is left alone");
    let began = Instant::now();
    launcher.signal(Signal::TERM);
    assert_eq!(launcher.ended().await.code(), Some(0), "{:?}", launcher.lines());
    assert!(began.elapsed() < SOON);
    assert!(!runs(again) && !runs(second));
}

#[tokio::test]
async fn a_program_that_cannot_work_as_it_is_set_up_ends_the_launcher_with_its_line() {
    for (variable, value, words) in [
        ("LEPTOS_SITE_ROOT", "nowhere", "there is no site in nowhere"),
        ("JPULSE_MODE", "test", "site.mode (JPULSE_MODE)"),
        ("JPULSE__SERVER__LISTEN", "stdin", "server.listen"),
    ] {
        let mut launcher = Launcher::start(Path::new(env!("CARGO_BIN_EXE_server")), 3, &[(variable, value)]);
        assert_eq!(launcher.ended().await.code(), Some(2), "{variable}");
        let told = || launcher.lines().iter().filter(|line| line.contains(words)).count();
        until("it says why", async || told() > 0).await;
        assert_eq!(told(), 1, "{:?}", launcher.lines());
    }
}

#[tokio::test]
async fn a_taken_port_ends_the_launcher_before_any_instance_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut launcher = Launcher::start(Path::new(env!("CARGO_BIN_EXE_server")), 2, &[("PORT", &port)]);
    assert_eq!(launcher.ended().await.code(), Some(2));
    until("it says why", async || launcher.lines().iter().any(|line| line.contains(&port))).await;
    assert!(launcher.said("an instance starts").is_empty());
}

#[tokio::test]
async fn a_configuration_that_became_wrong_is_refused_and_touches_no_instance() {
    let launcher = Launcher::start_ready(2, &[]).await;
    fs::write(launcher.folder.path().join("app.toml"), "[limits]\nconnections = 0\n").unwrap();
    launcher.signal(Signal::HUP);
    launcher.says("reload refused").await;
    let refused = &launcher.said("reload refused")[0];
    assert!(refused["fields"]["reason"].as_str().unwrap().contains("limits.connections"), "{refused}");
    assert!(launcher.served().into_iter().all(runs));
    fs::remove_file(launcher.folder.path().join("app.toml")).unwrap();
    launcher.signal(Signal::HUP);
    launcher.says("\"reloaded\"").await;
    let served = launcher.served();
    assert!(served.len() == 4 && !runs(served[0]) && !runs(served[1]), "{served:?}");
}

#[tokio::test]
async fn a_reload_whose_new_process_ends_goes_no_further() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("server");
    let install = |make: &dyn Fn(&Path)| {
        let new = folder.path().join("new");
        make(&new);
        fs::rename(&new, &program).unwrap();
    };
    let install_good = || install(&|path| assert!(fs::copy(env!("CARGO_BIN_EXE_server"), path).is_ok()));
    install_good();
    let launcher = Launcher::start(&program, 2, &[]);
    let [first, second]: [Served; 2] = launcher.is_ready(2).await.try_into().unwrap();
    install(&|path| {
        fs::write(path, "#!/bin/sh\n[ \"$1\" = check ] || exit 1\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    });
    launcher.signal(Signal::HUP);
    launcher.says("reload stopped").await;
    assert!(!runs(first) && runs(second) && answers(second.address).await);
    install_good();
    let back = launcher.is_ready(3).await[2];
    assert_eq!((back.instance, back.address), (first.instance, first.address));
}

#[tokio::test]
async fn instances_do_not_outlive_their_launcher() {
    let mut launcher = Launcher::start_ready(2, &[]).await;
    let served = launcher.served();
    launcher.signal(Signal::KILL);
    launcher.ended().await;
    // Not their ends alone: the ports are free for the next launcher.
    until("nobody listens", async || served.iter().all(|served| TcpListener::bind(served.address).is_ok())).await;
    until("they are gone", async || !served.iter().copied().any(runs)).await;
}

#[tokio::test]
async fn who_signs_in_on_one_instance_is_known_on_the_other_without_a_configured_secret() {
    let redis = super::kit::redis::Redis::start();
    let port = redis.port.to_string();
    let password = ("JPULSE_ADMIN_PASSWORD", "a password of the tests");
    let launcher = Launcher::start_ready(2, &[("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", &port), password]).await;
    let [first, second] = [0, 1].map(|place| launcher.served()[place].address);
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    let body = serde_json::json!({ "username": "admin", "password": password.1 });
    let answer = client.post(format!("http://{first}/api/1/auth/login")).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let status = client.get(format!("http://{second}/api/1/metrics")).header("Cookie", &cookie).send().await.unwrap();
    assert_ne!(status.status(), 401, "the other instance knows the cookie");
}
