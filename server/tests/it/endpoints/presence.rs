//! Who is there: merged over tabs and instances, patient with reloads, right after a crash.

use std::{
    collections::BTreeSet,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::Method;

use super::*;
use crate::kit::{free_port, until, until_within};

/// In which a killed instance is known to be gone.
const LIFE: Duration = Duration::from_secs(35);

async fn online(visitor: &Visitor, instance: &Running, user: &str) -> Value {
    let path = format!("/api/1/ws/hello-emoji/user/{user}/online");
    let response = visitor.request(instance, Method::GET, &path, None).await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

/// How many are present, from a watching tab's frames.
struct Watcher {
    tab: Tab,
    ids: BTreeSet<String>,
    frames: usize,
}

impl Watcher {
    async fn open(instance: &Running) -> Self {
        let mut tab = Tab::open(instance.address, &format!("{EMOJI}?uuid=watcher")).await;
        let answer = tab.ask(json!({ "type": "presence" })).await["data"].take();
        assert_eq!(answer["type"], "presence", "{answer}");
        let ids = answer["data"]["users"].as_array().unwrap().iter().map(id_of).collect();
        Self { tab, ids, frames: 0 }
    }

    /// Reads until so many are present.
    async fn until(&mut self, count: usize) {
        while self.ids.len() != count {
            let diff = self.tab.next_of("presence-diff").await["data"].take();
            self.frames += 1;
            self.ids.extend(diff["joined"].as_array().unwrap().iter().map(id_of));
            for id in diff["left"].as_array().unwrap() {
                self.ids.remove(id.as_str().unwrap());
            }
            assert_eq!(diff["total"], self.ids.len(), "{diff}");
        }
    }
}

fn id_of(user: &Value) -> String {
    user["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_online_once_however_many_tabs_and_until_the_last_is_closed() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let nobody = online(&admin, &right, "guest:t").await;
    assert_eq!((&nobody["online"], &nobody["instances"]), (&json!(false), &json!([])));
    let here = Tab::open(left.address, &format!("{EMOJI}?uuid=t")).await;
    let there = Tab::open(right.address, &format!("{EMOJI}?uuid=t")).await;
    for instance in [&left, &right] {
        assert_eq!(online(&admin, instance, "guest:t").await["instances"], json!([left.id, right.id]));
    }
    assert!(redis.command("TTL jpulse:dev:ws:online:hello-emoji:guest:t").trim_start_matches(':').trim() > "0");
    here.close().await;
    until("one is left", async || online(&admin, &right, "guest:t").await["instances"] == json!([right.id])).await;
    there.close().await;
    until("nobody is left", async || online(&admin, &left, "guest:t").await["online"] == false).await;
    assert!(!redis.command("KEYS *").contains("ws:online"));
    let guest = reqwest::get(left.url("/api/1/ws/hello-emoji/user/x/online")).await.unwrap();
    assert_eq!(guest.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_does_not_flap() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let mut watcher = Watcher::open(&left).await;
    let path = format!("{EMOJI}?uuid=reloaded");
    let mut tab = Tab::open(right.address, &path).await;
    watcher.until(2).await;
    let before = watcher.frames;
    for instance in [&left, &right, &left] {
        tab.close().await;
        tab = Tab::open(instance.address, &path).await;
        tab.expect_nothing().await;
    }
    // Another comes: had anybody gone meanwhile, that would have been told first.
    let _other = Tab::open(right.address, &format!("{EMOJI}?uuid=other")).await;
    watcher.until(3).await;
    assert_eq!(watcher.frames, before + 1);
    drop(tab);
    watcher.until(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_come_in_a_second_cost_few_frames() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let mut watcher = Watcher::open(&left).await;
    let since = Instant::now();
    let mut tabs = Vec::new();
    for round in 0..10 {
        let opening = (0..50).map(|number| {
            let instance = [&left, &right][number % 2];
            let path = format!("{EMOJI}?uuid=many-{round}-{number}");
            async move { Tab::open(instance.address, &path).await }
        });
        tabs.extend(futures_util::future::join_all(opening).await);
    }
    watcher.until(501).await;
    let rate = Duration::from_millis(100);
    let most = since.elapsed().as_millis() / rate.as_millis() + 4;
    assert!(u128::try_from(watcher.frames).unwrap() <= most, "{} frames in {:?}", watcher.frames, since.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_instance_takes_its_users_and_rooms_along() {
    let redis = Redis::start();
    let left = Running::start(config(redis.config(), "0")).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let mut watcher = Watcher::open(&left).await;
    watcher.tab.join("lobby").await;
    let mut program = Program::start(&redis).await;
    let mut lost = Tab::open(program.address, &format!("{EMOJI}?uuid=lost")).await;
    lost.join("lobby").await;
    while lost.next_of("room-count").await["data"]["members"] != 2 {}
    watcher.until(2).await;
    until("it is online", async || online(&admin, &left, "guest:lost").await["online"] == true).await;
    let stats = async || {
        let response = admin.request(&left, Method::GET, "/api/1/ws/stats", None).await;
        response.json::<Value>().await.unwrap()["hello-emoji"].clone()
    };
    assert_eq!((&stats().await["users"], &stats().await["connections"]), (&json!(2), &json!(2)));
    program.process.kill().unwrap();
    program.process.wait().unwrap();
    let took = until_within(LIFE, "it is offline", async || {
        online(&admin, &left, "guest:lost").await["online"] == false && stats().await["users"] == 1
    });
    eprintln!("gone after {:?}", took.await);
    watcher.until(1).await;
    let left_it = watcher.tab.ask(json!({ "type": "leave", "roomId": "lobby" })).await;
    assert_eq!(left_it["data"]["data"]["members"], 0, "{left_it}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_on_a_killed_instance_is_not_online_when_it_is_started_again() {
    let redis = Redis::start();
    let left = Running::start(config(redis.config(), "0")).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let mut program = Program::start(&redis).await;
    let _lost = Tab::open(program.address, &format!("{EMOJI}?uuid=lost")).await;
    until("it is online", async || online(&admin, &left, "guest:lost").await["online"] == true).await;
    program.process.kill().unwrap();
    program.process.wait().unwrap();
    // Its signs of life expire, what it said of its users does not yet.
    let set = "jpulse:dev:ws:online:hello-emoji:guest:lost";
    let id = redis.command(&format!("SRANDMEMBER {set}")).lines().nth(1).expect("an instance").to_owned();
    for sign in ["instance", "health:instance"] {
        redis.command(&format!("DEL jpulse:dev:{sign}:{id}"));
    }
    let again = Program::start(&redis).await;
    let claim = format!("EXISTS jpulse:dev:instance:{id}");
    until("it has its name again", async || redis.command(&claim) == ":1\r\n").await;
    until("it has looked back", async || redis.command(&format!("EXISTS {set}")) == ":0\r\n").await;
    until("nobody is online", async || online(&admin, &left, "guest:lost").await["online"] == false).await;
    let _back = Tab::open(again.address, &format!("{EMOJI}?uuid=lost")).await;
    assert_eq!(online(&admin, &left, "guest:lost").await["instances"], json!([id]));
}

/// The real program.
struct Program {
    process: Child,
    address: std::net::SocketAddr,
    _folder: tempfile::TempDir,
}

impl Program {
    async fn start(redis: &Redis) -> Self {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let site = folder.path().join("site");
        std::fs::create_dir(&site).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_server"))
            .env_clear()
            .current_dir(folder.path())
            .env("LEPTOS_SITE_ROOT", site)
            .env("PORT", port.to_string())
            .env("REDIS_HOST", "127.0.0.1")
            .env("REDIS_PORT", redis.port.to_string())
            .env("JPULSE_INSTANCE", "7")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let ready = format!("http://127.0.0.1:{port}/api/1/health/status");
        until("it is ready", async || reqwest::get(&ready).await.is_ok_and(|answer| answer.status() == 200)).await;
        Self { process, address: ([127, 0, 0, 1], port).into(), _folder: folder }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
