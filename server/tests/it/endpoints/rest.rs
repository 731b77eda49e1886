//! The routes: telling, asking, counting.

use reqwest::Method;

use super::*;
use crate::kit::until;

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_tells_an_endpoint_a_user_a_room_or_everybody() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let mut emoji = Tab::open(right.address, &format!("{EMOJI}?uuid=e")).await;
    let mut todo = Tab::open(right.address, "/api/1/ws/hello-todo?uuid=t").await;
    let mut mine = Tab::open_as(&admin, right.address, "/api/1/ws/jpulse-ws-test").await;
    emoji.join("r").await;
    let post = async |path: &str, body: Value| {
        let response = admin.request(&left, Method::POST, path, Some(body)).await;
        let status = response.status().as_u16();
        (status, response.json::<Value>().await.unwrap())
    };
    let (status, body) = post("/api/1/ws/hello-emoji/broadcast", json!({ "message": "Hello" })).await;
    assert_eq!((status, &body["success"]), (200, &json!(true)), "{body}");
    let message = emoji.next_of("message").await["data"].clone();
    assert_eq!((&message["data"], &message["from"]["username"]), (&json!("Hello"), &json!("admin")));
    assert_eq!(post("/api/1/ws/hello-emoji/user/guest:e", json!({ "data": { "a": 1 } })).await.0, 200);
    assert_eq!(emoji.next_message().await, json!({ "a": 1 }));
    assert_eq!(post("/api/1/ws/hello-emoji/room/r", json!({ "data": [1] })).await.0, 200);
    assert_eq!(emoji.next_of("message").await["data"]["target"], json!({ "type": "room", "roomId": "r" }));
    todo.expect_nothing().await;
    assert_eq!(post("/api/1/broadcast", json!({ "data": "all" })).await.0, 200);
    for tab in [&mut emoji, &mut todo, &mut mine] {
        assert_eq!(tab.next_message().await, "all");
    }
    assert_eq!(post("/api/1/broadcast", json!({ "endpoint": "hello-todo", "data": "one" })).await.0, 200);
    assert_eq!(todo.next_message().await, "one");
    let status: Value = admin.request(&left, Method::GET, "/api/1/auth/status", None).await.json().await.unwrap();
    let id = status["user"]["id"].as_str().unwrap();
    assert_eq!(post(&format!("/api/1/message/{id}"), json!({ "data": "you" })).await.0, 200);
    assert_eq!(mine.next_message().await, "you");
    for tab in [&mut emoji, &mut todo, &mut mine] {
        tab.expect_nothing().await;
    }
    for (path, body, wanted) in [
        ("/api/1/ws/nothing/broadcast", json!({ "message": 1 }), (404, "UNKNOWN_ENDPOINT")),
        ("/api/1/ws/nothing/user/u", json!({ "data": 1 }), (404, "UNKNOWN_ENDPOINT")),
        ("/api/1/ws/nothing/room/r", json!({ "data": 1 }), (404, "UNKNOWN_ENDPOINT")),
        ("/api/1/broadcast", json!({ "endpoint": "nothing", "data": 1 }), (404, "UNKNOWN_ENDPOINT")),
        ("/api/1/ws/hello-emoji/broadcast", json!({}), (400, "INVALID_DATA")),
        (
            "/api/1/ws/hello-emoji/broadcast",
            json!({ "data": { "$serde_json::private::Number": "1" } }),
            (400, "INVALID_DATA"),
        ),
        ("/api/1/broadcast", json!({}), (400, "INVALID_DATA")),
        ("/api/1/broadcast", json!({ "endpoint": 7, "data": 1 }), (400, "VALIDATION_ERROR")),
        ("/api/1/message/a%20b", json!({ "data": 1 }), (400, "INVALID_ID")),
    ] {
        let (status, answer) = post(path, body).await;
        assert_eq!((status, answer["code"].as_str().unwrap_or_default()), wanted, "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_tell_nobody_anything_over_rest() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    let guest = Visitor::default();
    for (method, path) in [
        (Method::POST, "/api/1/broadcast"),
        (Method::POST, "/api/1/message/u"),
        (Method::POST, "/api/1/ws/hello-emoji/broadcast"),
        (Method::POST, "/api/1/ws/hello-emoji/user/u"),
        (Method::POST, "/api/1/ws/hello-emoji/room/r"),
        (Method::GET, "/api/1/ws/stats"),
        (Method::GET, "/api/1/ws/hello-emoji/user/u/online"),
    ] {
        let response = guest.request(&instance, method, path, None).await;
        assert_eq!(response.status(), 401, "{path}");
        assert_eq!(response.json::<Value>().await.unwrap()["code"], "AUTHENTICATION_REQUIRED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_of_all_instances() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let mut tabs = vec![
        Tab::open(left.address, &format!("{EMOJI}?uuid=a")).await,
        Tab::open(right.address, &format!("{EMOJI}?uuid=a")).await,
        Tab::open(right.address, &format!("{EMOJI}?uuid=b")).await,
    ];
    for tab in &mut tabs {
        tab.expect_nothing().await;
        tab.send_text("{").await;
        tab.next().await;
    }
    let stats = async |instance: &Running| -> Value {
        admin.request(instance, Method::GET, "/api/1/ws/stats", None).await.json().await.unwrap()
    };
    for instance in [&left, &right] {
        until("all is counted", async || {
            let emoji = stats(instance).await["hello-emoji"].clone();
            let numbers = ["users", "connections", "messages", "messagesPerMinute"].map(|name| emoji[name].as_u64());
            numbers == [2, 3, 6, 6].map(Some) && emoji["dropped"]["refused"] == 3
        })
        .await;
        let emoji = stats(instance).await["hello-emoji"].clone();
        assert_eq!(emoji["status"], "green");
        assert_eq!(emoji["instances"][&right.id]["connections"], 2, "{emoji}");
        let unused = stats(instance).await["hello-todo"].clone();
        assert_eq!(
            (&unused["users"], &unused["connections"], &unused["lastActivity"]),
            (&json!(0), &json!(0), &json!(null))
        );
    }
    let mut status = Tab::open_as(&admin, right.address, "/api/1/ws/jpulse-ws-status").await;
    // At once, and again without being asked.
    for _ in 0..2 {
        let update = status.next_of("stats-update").await["data"].clone();
        assert_eq!(update["endpoints"]["hello-emoji"]["connections"], 3, "{update}");
        assert!(update["activity"].as_array().unwrap().iter().any(|event| event["endpoint"] == "hello-emoji"));
    }
}
