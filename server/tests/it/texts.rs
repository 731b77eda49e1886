//! The shared text over REST, what browsers hear of it, and many writers on two instances.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::{collections::HashSet, sync::Arc};

use app::text::EDITED;
use reqwest::Client;
use serde_json::{Value, json};
use server::config::Config;
use tokio::sync::Barrier;
use wire::text::{AcceptedEdit, Edit, Heard, TEXT_CHARS, TextSession, TextState};

use super::kit::{
    instance::Running,
    mongod::{Mongod, fresh_database},
    redis::Redis,
};

const TEXT: &str = "/api/1/hello-text";
const EDITS: &str = "/api/1/hello-text/edits";

async fn get(instance: &Running, path: &str) -> (u16, Value) {
    let response = reqwest::get(instance.url(path)).await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn post(instance: &Running, body: Value) -> (u16, Value) {
    let response = Client::new().post(instance.url(EDITS)).json(&body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn an_edit_is_taken_answered_announced_and_kept() {
    let instance = Running::start(Config::default()).await;
    let mut browser = instance.open_browser().await;
    browser.subscribe(EDITED).await;
    assert_eq!(get(&instance, TEXT).await.1["data"], json!({ "version": 0, "text": "" }));
    let edit = json!({ "base": 0, "id": "e-1", "edit": ["tea 😀"], "uuid": "tab-1" });
    let accepted = json!({ "version": 1, "id": "e-1", "edit": ["tea 😀"], "uuid": "tab-1" });
    let (status, answer) = post(&instance, edit.clone()).await;
    assert_eq!((status, &answer["data"]), (200, &json!({ "version": 1, "edits": [accepted] })), "{answer}");
    assert_eq!(browser.next_data().await, accepted);
    // Again, as after an answer that was lost.
    assert_eq!(post(&instance, edit).await.1["data"], answer["data"]);
    let late = json!({ "base": 0, "id": "e-2", "edit": ["cake"] });
    let moved = json!({ "version": 2, "id": "e-2", "edit": [5, "cake"] });
    assert_eq!(post(&instance, late).await.1["data"], json!({ "version": 2, "edits": [accepted, moved] }));
    assert_eq!(browser.next_data().await["edit"], json!([5, "cake"]));
    browser.expect_nothing().await;
    assert_eq!(get(&instance, TEXT).await.1["data"], json!({ "version": 2, "text": "tea 😀cake" }));
    let since = get(&instance, &format!("{TEXT}?since=1")).await.1;
    assert_eq!(since["data"], json!({ "edits": [moved] }));
}

#[tokio::test]
async fn a_long_text_is_saved_without_a_script() {
    let instance = Running::start(Config::default()).await;
    let text = "ж".repeat(TEXT_CHARS);
    let form = format!("base=0&id=e&before=&text={}", "%D0%B6".repeat(TEXT_CHARS));
    let request = Client::new().post(instance.url("/fn/text-save")).body(form);
    let response = request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    assert_eq!(get(&instance, TEXT).await.1["data"]["text"], text);
}

#[tokio::test]
async fn each_wrong_request_has_its_code_and_changes_nothing() {
    let instance = Running::start(Config::default()).await;
    let edit = |edit: Value| json!({ "base": 0, "id": "e", "edit": edit });
    for (body, status, code) in [
        (edit(json!(["x".repeat(TEXT_CHARS + 1)])), 413, "PAYLOAD_TOO_LARGE"),
        (edit(json!(["x".repeat(128 * 1024)])), 413, "PAYLOAD_TOO_LARGE"),
        (edit(json!([1, "x"])), 400, "VALIDATION_ERROR"),
        (edit(json!(["a\r\nb"])), 400, "VALIDATION_ERROR"),
        (edit(json!("x")), 400, "VALIDATION_ERROR"),
        (edit(json!([i64::MIN])), 400, "VALIDATION_ERROR"),
        (edit(json!([{ "$ne": 1 }])), 400, "VALIDATION_ERROR"),
        (json!({ "base": -1, "id": "e", "edit": [] }), 400, "VALIDATION_ERROR"),
        (json!({ "base": 0, "edit": [] }), 400, "VALIDATION_ERROR"),
        (json!([]), 400, "VALIDATION_ERROR"),
        (Value::Null, 400, "VALIDATION_ERROR"),
        (json!({ "base": 0, "id": "a b", "edit": [] }), 400, "INVALID_ID"),
        (json!({ "base": 7, "id": "e", "edit": [] }), 409, "VERSION_CONFLICT"),
    ] {
        let (answered, failure) = post(&instance, body.clone()).await;
        assert_eq!((answered, &failure["code"]), (status, &json!(code)), "{body:.60}: {failure}");
        assert_eq!((&failure["success"], &failure["path"]), (&json!(false), &json!(EDITS)));
    }
    for (query, status, code) in [
        ("since=x", 400, "VALIDATION_ERROR"),
        ("since=-1", 400, "VALIDATION_ERROR"),
        ("since=4", 409, "VERSION_CONFLICT"),
    ] {
        let (answered, failure) = get(&instance, &format!("{TEXT}?{query}")).await;
        assert_eq!((answered, &failure["code"]), (status, &json!(code)), "{query}: {failure}");
    }
    assert_eq!(get(&instance, TEXT).await.1["data"], json!({ "version": 0, "text": "" }));
    // The most that a text holds, of the longest characters there are.
    let (status, _) = post(&instance, edit(json!(["😀".repeat(TEXT_CHARS)]))).await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_on_two_instances_end_with_one_text() {
    const WRITERS: u64 = 6;
    const EACH: usize = 25;
    let redis = Redis::start();
    let mongod = Mongod::shared();
    let uri = mongod.uri(&fresh_database());
    let config = |number: &str| {
        let mut config = Config { redis: redis.config(), ..Config::default() };
        config.site.instance = number.into();
        config.mongodb.uri.clone_from(&uri);
        config
    };
    let instances = [Running::start(config("0")).await, Running::start(config("1")).await].map(Arc::new);
    let done = Arc::new(Barrier::new(usize::try_from(WRITERS).unwrap()));
    let writers = (0..WRITERS).map(|number| {
        let instance = Arc::clone(&instances[usize::try_from(number % 2).unwrap()]);
        tokio::spawn(write(instance, number, EACH, Arc::clone(&done)))
    });
    let mut texts = HashSet::new();
    for writer in writers.collect::<Vec<_>>() {
        texts.insert(writer.await.unwrap());
    }
    let state: TextState = serde_json::from_value(get(&instances[0], TEXT).await.1["data"].clone()).unwrap();
    assert_eq!(texts, HashSet::from([state.text]));
    assert_eq!(usize::try_from(state.version).unwrap() + 1, usize::try_from(WRITERS).unwrap() * EACH + 1);
}

/// Writes so many edits, as fast as they are answered; the text when all others are done too.
async fn write(instance: Arc<Running>, number: u64, edits: usize, done: Arc<Barrier>) -> String {
    let client = Client::new();
    let mut session = TextSession::new(TextState::default());
    for count in 0..edits {
        let chars = session.text().chars().count();
        let place = (count * 7 + usize::try_from(number).unwrap() * 3) % (chars + 1);
        let deleted = usize::from(count % 3 == 2 && place < chars);
        let typed = Edit::default().keep(place).delete(deleted).insert("ü😀").keep(chars - place - deleted);
        let submission = session.type_in(typed, || format!("{number}-{count}")).unwrap().unwrap();
        let response = client.post(instance.url(EDITS)).json(&submission).send().await.unwrap();
        hear(&mut session, response.json().await.unwrap());
    }
    done.wait().await;
    let behind = client.get(instance.url(&format!("{TEXT}?since={}", session.version()))).send().await.unwrap();
    hear(&mut session, behind.json().await.unwrap());
    session.text().to_owned()
}

fn hear(session: &mut TextSession, answer: Value) {
    let edits: Vec<AcceptedEdit> = serde_json::from_value(answer["data"]["edits"].clone()).unwrap();
    for edit in &edits {
        assert_ne!(session.hear(edit, String::new).unwrap(), Heard::Hole);
    }
}
