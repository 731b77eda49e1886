//! The real program, killed again and again while it saves and announces.

use std::{
    collections::{HashMap, HashSet},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use app::todo::Todo;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use server::config::Config;
use tempfile::TempDir;
use wire::{Channel, Message};

use super::{Heard, Place, shared::listen, todo_of};
use crate::kit::{free_port, instance::Running, redis::Redis, until, until_within};

const LIST: &str = "/api/1/helloClusterTodo";
/// Changes that must be answered in all.
const CHANGES: usize = 1_000;
/// How long the news may take: what a killed instance left in a MongoDB waits for its lease.
const ANNOUNCED_WITHIN: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_changes_of_a_killed_instance_are_all_announced_once_with_a_file() {
    survive(Place::embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_changes_of_a_killed_instance_are_all_announced_once_with_one_mongod() {
    survive(Place::mongod()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_changes_of_a_killed_instance_are_all_announced_once_with_a_replica_set() {
    survive(Place::replica_set()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_redis_is_away_loses_no_news() {
    let mut redis = Redis::start();
    let observer = Running::start(Config { redis: redis.config(), ..Config::default() }).await;
    let heard = listen(&observer).await;
    let mut program = Program::new(Place::embedded(), &redis);
    program.start().await;
    redis.kill();
    let changes = Arc::new(Changes::default());
    for number in 0..10 {
        change(&program.base, &changes, Dice(number)).await.unwrap();
    }
    program.kill();
    redis.run();
    program.start().await;
    until_within(ANNOUNCED_WITHIN, "all is announced", async || is_all_announced(&heard, &program.list().await)).await;
    assert_once_and_in_order(&heard, &changes);
}

async fn survive(place: Place) {
    let redis = Redis::start();
    let observer = Running::start(Config { redis: redis.config(), ..Config::default() }).await;
    let heard = listen(&observer).await;
    let mut program = Program::new(place, &redis);
    let changes = Arc::new(Changes::default());
    let mut dice = Dice(7);
    let mut kills = 0;
    while changes.answered() < CHANGES {
        program.start().await;
        let workers: Vec<_> = (0..4)
            .map(|_| {
                let (base, changes, mut dice) = (program.base.clone(), Arc::clone(&changes), Dice(dice.roll()));
                // Until the program is killed.
                tokio::spawn(async move { while change(&base, &changes, Dice(dice.roll())).await.is_ok() {} })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(20 + dice.roll() % 2_000)).await;
        program.kill();
        kills += 1;
        for worker in workers {
            worker.await.unwrap();
        }
    }
    program.start().await;
    eprintln!("{kills} kills, {} answered changes", changes.answered());
    until_within(ANNOUNCED_WITHIN, "all is announced", async || is_all_announced(&heard, &program.list().await)).await;
    assert_once_and_in_order(&heard, &changes);
}

/// The program with a store that outlives it.
struct Program {
    place: Place,
    folder: TempDir,
    redis_port: u16,
    base: String,
    process: Option<Child>,
}

impl Program {
    fn new(place: Place, redis: &Redis) -> Self {
        let redis_port = redis.config().single.port;
        Self { place, folder: TempDir::new().unwrap(), redis_port, base: String::new(), process: None }
    }

    /// Starts it and waits until it serves.
    async fn start(&mut self) {
        let port = free_port();
        self.base = format!("http://127.0.0.1:{port}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command
            .env_clear()
            .current_dir(self.folder.path())
            .env("LEPTOS_SITE_ROOT", self.folder.path())
            .env("PORT", port.to_string())
            .env("REDIS_HOST", "127.0.0.1")
            .env("REDIS_PORT", self.redis_port.to_string())
            .env("JPULSE_INSTANCE", "7")
            .env("JPULSE__LIMITS__REQUESTS_PER_SECOND", "100000");
        match &self.place {
            Place::File(data) => command.env("JPULSE_DATA_DIR", data.path()),
            Place::Mongo(mongod, database) => command.env("MONGODB_URI", mongod.uri(database)),
        };
        self.process = Some(command.stderr(Stdio::null()).spawn().unwrap());
        let ready = format!("{}/api/1/health/status", self.base);
        until("it is ready", async || reqwest::get(&ready).await.is_ok_and(|answer| answer.status() == 200)).await;
    }

    /// As `kill -9` does.
    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// The whole list.
    async fn list(&self) -> Vec<Todo> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let url = format!("{}{LIST}?limit=100{cursor}", self.base);
            let page: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
            all.extend(serde_json::from_value::<Vec<Todo>>(page["todos"].clone()).unwrap());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What was answered.
#[derive(Default)]
struct Changes {
    /// Action and todo.
    done: Mutex<Vec<(&'static str, String)>>,
    /// Todos that can be changed.
    there: Mutex<Vec<String>>,
}

impl Changes {
    fn answered(&self) -> usize {
        self.done.lock().unwrap().len()
    }

    fn pick(&self, dice: u64) -> Option<String> {
        let there = self.there.lock().unwrap();
        let index = usize::try_from(dice).unwrap() % there.len().max(1);
        there.get(index).cloned()
    }
}

/// Makes one change at random; an error when the program does not answer.
async fn change(base: &str, changes: &Changes, mut dice: Dice) -> Result<(), reqwest::Error> {
    let client = Client::new();
    let (action, method, path, body) = match (dice.roll() % 10, changes.pick(dice.roll())) {
        (0..6, Some(id)) => ("updated", Method::PUT, format!("/{id}/toggle"), None),
        (6..8, Some(id)) => ("deleted", Method::DELETE, format!("/{id}"), None),
        _ => ("created", Method::POST, String::new(), Some(json!({ "text": "tea" }))),
    };
    let mut request = client.request(method, format!("{base}{LIST}{path}"));
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await?;
    if !answer.status().is_success() {
        // Somebody else deleted it, or it was deleted without an answer.
        assert_eq!(answer.status(), 404);
        let gone = path.trim_start_matches('/').trim_end_matches("/toggle").to_owned();
        changes.there.lock().unwrap().retain(|id| *id != gone);
        return Ok(());
    }
    let answer: Value = answer.json().await?;
    let id = answer["todo"]["_id"].as_str().unwrap().to_owned();
    match action {
        "created" => changes.there.lock().unwrap().push(id.clone()),
        "deleted" => changes.there.lock().unwrap().retain(|other| *other != id),
        _ => {}
    }
    changes.done.lock().unwrap().push((action, id));
    Ok(())
}

/// Whether the news tell of exactly what is in the list.
fn is_all_announced(heard: &Heard, list: &[Todo]) -> bool {
    let mut told: HashMap<String, Todo> = HashMap::new();
    for message in news(heard) {
        let todo = todo_of(&message);
        if message.data["action"] == "deleted" {
            told.remove(&todo.id);
        } else {
            told.insert(todo.id.clone(), todo);
        }
    }
    told.len() == list.len() && list.iter().all(|todo| told.get(&todo.id) == Some(todo))
}

/// The news in the order they were saved in, which is that of their ids. They were heard in the order of
/// each todo and channel: after an outage, one channel may come before the other.
fn news(heard: &Heard) -> Vec<Arc<Message>> {
    let mut news = heard.0.lock().unwrap().clone();
    news.retain(|message| message.data.contains_key("todo"));
    news.sort_by_key(|message| message.id.clone());
    news
}

/// Every id once, a todo's in the order of their channel; every answered change; each todo from its creation by
/// turns to its removal.
fn assert_once_and_in_order(heard: &Heard, changes: &Changes) {
    let mut latest: HashMap<(Channel, String), Arc<str>> = HashMap::new();
    for message in heard.0.lock().unwrap().iter().filter(|message| message.data.contains_key("todo")) {
        let before = latest.insert((message.channel.clone(), todo_of(message).id), message.id.clone().unwrap());
        assert!(before < message.id, "out of order in {}", message.channel);
    }
    let news = news(heard);
    let ids: HashSet<_> = news.iter().map(|message| message.id.clone().unwrap()).collect();
    assert_eq!(ids.len(), news.len(), "a message came twice");
    let mut told: HashMap<(String, String), usize> = HashMap::new();
    let mut states: HashMap<String, Option<bool>> = HashMap::new();
    for message in &news {
        let (todo, action) = (todo_of(message), message.data["action"].as_str().unwrap());
        *told.entry((action.to_owned(), todo.id.clone())).or_default() += 1;
        let before = states.insert(todo.id.clone(), (action != "deleted").then_some(todo.completed));
        match action {
            "created" => assert_eq!((before, todo.completed), (None, false)),
            "updated" => assert_eq!(before, Some(Some(!todo.completed)), "out of order"),
            _ => assert_eq!(before, Some(Some(todo.completed)), "out of order"),
        }
    }
    for (action, id) in changes.done.lock().unwrap().iter() {
        let left = told.get_mut(&((*action).to_owned(), id.clone())).expect("every answered change is announced");
        *left = left.checked_sub(1).expect("every answered change is announced");
    }
}

/// Random numbers that are the same in every run (Lehmer's generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = (self.0 % 2_147_483_646 + 1) * 48_271 % 2_147_483_647;
        self.0
    }
}
