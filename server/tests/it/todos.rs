//! The to-do list over REST, and what browsers hear of it.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use app::todo::{ITEM_UPDATED, LIST_CHANGED};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use server::config::Config;

use super::kit::instance::Running;

const LIST: &str = "/api/1/helloClusterTodo";

/// Asks for something below [`LIST`]; status and JSON of the answer.
async fn ask(instance: &Running, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut request = Client::new().request(method, instance.url(&format!("{LIST}{path}")));
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn create(instance: &Running, text: &str) -> Value {
    let (status, body) = ask(instance, Method::POST, "", Some(json!({ "text": text }))).await;
    assert_eq!(status, 201, "{body}");
    body["todo"].clone()
}

#[tokio::test]
async fn a_todo_lives_from_its_creation_to_its_removal() {
    let instance = Running::start(Config::default()).await;
    let (status, created) = ask(&instance, Method::POST, "", Some(json!({ "text": "  tea  " }))).await;
    assert_eq!((status, &created["success"], &created["todo"]["title"]), (201, &json!(true), &json!("tea")));
    assert_eq!((&created["todo"]["username"], &created["todo"]["completed"]), (&json!("guest"), &json!(false)));
    assert!(created["elapsed"].is_number());
    let id = created["todo"]["_id"].as_str().unwrap();

    let (_, listed) = ask(&instance, Method::GET, "", None).await;
    assert_eq!((&listed["todos"], &listed["nextCursor"]), (&json!([created["todo"]]), &Value::Null));
    assert_eq!(listed["stats"], json!({ "total": 1, "completed": 0, "pending": 1 }));

    let (status, toggled) = ask(&instance, Method::PUT, &format!("/{id}/toggle"), None).await;
    assert_eq!((status, &toggled["todo"]["completed"]), (200, &json!(true)));
    let (_, counted) = ask(&instance, Method::GET, "/stats", None).await;
    assert_eq!(counted["stats"], json!({ "total": 1, "completed": 1, "pending": 0 }));

    let (status, deleted) = ask(&instance, Method::DELETE, &format!("/{id}"), None).await;
    assert_eq!((status, &deleted["todo"]), (200, &toggled["todo"]));
    let (status, gone) = ask(&instance, Method::DELETE, &format!("/{id}"), None).await;
    assert_eq!((status, &gone["code"]), (404, &json!("TODO_NOT_FOUND")));
}

#[tokio::test]
async fn each_wrong_request_has_its_code_and_changes_nothing() {
    let instance = Running::start(Config::default()).await;
    let cases = [
        (Method::POST, "", Some(json!({ "text": "x".repeat(201) })), 400, "VALIDATION_ERROR"),
        (Method::POST, "", Some(json!({ "text": "   " })), 400, "VALIDATION_ERROR"),
        (Method::POST, "", Some(json!({ "text": 7 })), 400, "VALIDATION_ERROR"),
        (Method::POST, "", Some(json!(["text"])), 400, "VALIDATION_ERROR"),
        (Method::POST, "", None, 400, "VALIDATION_ERROR"),
        (Method::POST, "", Some(json!({ "text": "x".repeat(65_536) })), 413, "PAYLOAD_TOO_LARGE"),
        (Method::GET, "?limit=0", None, 400, "VALIDATION_ERROR"),
        (Method::GET, "?limit=many", None, 400, "VALIDATION_ERROR"),
        (Method::GET, "?cursor=x", None, 400, "VALIDATION_ERROR"),
        (Method::PUT, "/nonsense/toggle", None, 400, "INVALID_ID"),
        (Method::PUT, "/%ff/toggle", None, 400, "VALIDATION_ERROR"),
        (Method::DELETE, "/nonsense", None, 400, "INVALID_ID"),
        (Method::PUT, "/0123456789abcdef01234567/toggle", None, 404, "TODO_NOT_FOUND"),
        (Method::PUT, "", None, 405, "METHOD_NOT_ALLOWED"),
    ];
    for (method, path, body, status, code) in cases {
        let (answered, failure) = ask(&instance, method.clone(), path, body).await;
        assert_eq!((answered, &failure["code"]), (status, &json!(code)), "{method} {path}: {failure}");
        assert_eq!(failure["success"], false);
        assert!(failure["path"].as_str().unwrap().starts_with(LIST) && failure["error"].is_string(), "{failure}");
    }
    let malformed = Client::new().post(instance.url(LIST)).body("{\"text\":").send().await.unwrap();
    assert_eq!(malformed.status(), 400);
    assert_eq!(malformed.json::<Value>().await.unwrap()["code"], "INVALID_JSON");
    assert_eq!(ask(&instance, Method::GET, "", None).await.1["stats"]["total"], 0);
}

#[tokio::test]
async fn the_list_comes_in_pages() {
    let instance = Running::start(Config::default()).await;
    for n in 0..5 {
        create(&instance, &format!("number {n}")).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, page) = ask(&instance, Method::GET, &format!("?limit=2{cursor}"), None).await;
        seen.extend(page["todos"].as_array().unwrap().iter().map(|todo| todo["title"].as_str().unwrap().to_owned()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["number 4", "number 3", "number 2", "number 1", "number 0"]);
    assert_eq!(ask(&instance, Method::GET, "?limit=1000", None).await.1["todos"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn browsers_hear_of_every_change_in_order_and_the_one_who_asked_does_not() {
    let instance = Running::start(Config::default()).await;
    let mut other = instance.open_browser().await;
    let mut asker = instance.open_browser().await;
    for channel in [LIST_CHANGED, ITEM_UPDATED] {
        other.subscribe(channel).await;
        asker.subscribe_with(json!({ "channel": channel, "omitSelf": true })).await;
    }
    let uuid = asker.uuid.clone();
    let body = json!({ "text": "together", "uuid": uuid });
    let (_, created) = ask(&instance, Method::POST, "", Some(body)).await;
    let change = other.next_data().await;
    assert_eq!((&change["action"], &change["todo"]), (&json!("created"), &created["todo"]));
    assert_eq!((&change["user"], &change["uuid"]), (&json!({ "username": "guest" }), &json!(uuid)));
    assert!(change["timestamp"].as_str().unwrap().ends_with('Z'));

    let id = created["todo"]["_id"].as_str().unwrap();
    let by_header = |method, path: String| {
        Client::new().request(method, instance.url(&path)).header("X-JPulse-Uuid", uuid.as_str()).send()
    };
    by_header(Method::PUT, format!("{LIST}/{id}/toggle")).await.unwrap();
    let change = other.next_data().await;
    assert_eq!((&change["action"], &change["todo"]["completed"]), (&json!("updated"), &json!(true)));
    by_header(Method::DELETE, format!("{LIST}/{id}")).await.unwrap();
    assert_eq!(other.next_data().await["action"], "deleted");
    asker.expect_nothing().await;
}

#[tokio::test]
async fn a_browser_that_hangs_up_at_once_is_announced_all_the_same() {
    let instance = Running::start(Config::default()).await;
    let mut browser = instance.open_browser().await;
    browser.subscribe(LIST_CHANGED).await;
    for n in 0..20 {
        let request = Client::new().post(instance.url(LIST)).json(&json!({ "text": format!("{n}") }));
        // Long enough to be sent now and then, never to be answered for sure.
        let _ = tokio::time::timeout(std::time::Duration::from_millis(n % 5), request.send()).await;
    }
    create(&instance, "last").await;
    let mut announced = 1;
    while browser.next_data().await["todo"]["title"] != "last" {
        announced += 1;
    }
    assert_eq!(ask(&instance, Method::GET, "/stats", None).await.1["stats"]["total"], announced);
}
