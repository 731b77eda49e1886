//! Who users are and how they are: first and last names in what they change, statuses, the dashboard's first numbers.

use std::sync::Arc;

use app::{account::PersonName, todo::LIST_CHANGED};
use reqwest::Method;
use serde_json::{Value, json};
use server::{account::Accounts, store::Store};

use super::{
    kit::{
        instance::Running,
        mongod::{Mongod, fresh_database},
        redis::Redis,
        until,
        visitor::Visitor,
    },
    sessions::config,
};

const STATUS: &str = "/api/1/user/status";
const CHANGED: &str = "view:chat:user:status";
const PASSWORD: &str = "a password of hers";

/// Two instances on one Redis and one MongoDB with the user Mona, who is signed in. The MongoDB is there as long as
/// what stands for it.
async fn with_mona(redis: &Redis) -> (Running, Running, Visitor, Arc<Mongod>) {
    let mongod = Mongod::shared();
    let uri = mongod.uri(&fresh_database());
    let store = Store::mongo(&uri).await.unwrap();
    let name = PersonName { first_name: "Mona".into(), last_name: "Lisa".into() };
    Accounts::new(&store).create_named("mona", name, PASSWORD, &[]).await.unwrap();
    let start = |instance| {
        let mut config = config(redis.config(), instance);
        config.mongodb.uri.clone_from(&uri);
        Running::start(config)
    };
    let (left, right) = tokio::join!(start("0"), start("1"));
    let mona = Visitor::default();
    assert_eq!(mona.log_in(&left, "mona", PASSWORD).await.0, 200);
    (left, right, mona, mongod)
}

async fn json_of(
    visitor: &Visitor,
    instance: &Running,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let answer = visitor.request(instance, method, path, body).await;
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_set_on_one_instance_reaches_browsers_of_the_other_and_stays() {
    let redis = Redis::start();
    let (left, right, mona, _mongod) = with_mona(&redis).await;
    let mut browser = right.open_browser().await;
    browser.subscribe(CHANGED).await;
    let (_, who) = json_of(&mona, &left, Method::GET, "/api/1/auth/status", None).await;
    let id = who["user"]["id"].as_str().unwrap();
    let (status, answer) = json_of(&mona, &left, Method::PUT, STATUS, Some(json!({ "status": "away" }))).await;
    assert_eq!((status, &answer["data"]), (200, &json!({ "userId": id, "status": "away" })));
    let heard = browser.next_data().await;
    assert_eq!((&heard["userId"], &heard["status"]), (&json!(id), &json!("away")));
    assert_eq!(
        (&heard["username"], &heard["firstName"], &heard["lastName"]),
        (&json!("mona"), &json!("Mona"), &json!("Lisa"))
    );
    assert!(heard["timestamp"].as_str().unwrap().ends_with('Z') && heard["roles"].is_null(), "{heard}");
    // A page that is opened later asks, on any instance.
    until("the other instance knows it", async || {
        let (_, answer) = json_of(&mona, &right, Method::GET, &format!("{STATUS}?users=Mona,nobody"), None).await;
        answer["data"]["statuses"] == json!({ "Mona": "away", "nobody": "online" })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_does_not_hear_of_the_status_it_set_itself() {
    let redis = Redis::start();
    let (left, _right, mona, _mongod) = with_mona(&redis).await;
    let mut own = left.open_browser().await;
    own.subscribe_with(json!({ "channel": CHANGED, "omitSelf": true })).await;
    let mut other = left.open_browser().await;
    other.subscribe(CHANGED).await;
    let body = json!({ "status": "busy", "uuid": own.uuid });
    assert_eq!(json_of(&mona, &left, Method::PUT, STATUS, Some(body)).await.0, 200);
    assert_eq!(other.next_data().await["status"], "busy");
    own.expect_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_for_who_is_signed_in_and_one_of_three() {
    let redis = Redis::start();
    let (left, _right, mona, _mongod) = with_mona(&redis).await;
    let guest = Visitor::default();
    let (status, answer) = json_of(&guest, &left, Method::PUT, STATUS, Some(json!({ "status": "away" }))).await;
    assert_eq!((status, &answer["code"]), (401, &json!("AUTHENTICATION_REQUIRED")));
    for body in [json!({ "status": "asleep" }), json!({ "status": 7 }), json!({}), json!(["away"])] {
        let (status, answer) = json_of(&mona, &left, Method::PUT, STATUS, Some(body)).await;
        assert_eq!((status, &answer["code"]), (400, &json!("VALIDATION_ERROR")));
    }
    let many = vec!["a"; 21].join(",");
    assert_eq!(json_of(&mona, &left, Method::GET, &format!("{STATUS}?users={many}"), None).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_carries_the_first_and_last_name_of_the_account() {
    let redis = Redis::start();
    let (left, right, mona, _mongod) = with_mona(&redis).await;
    let mut browser = right.open_browser().await;
    browser.subscribe(LIST_CHANGED).await;
    let create = Some(json!({ "text": "smile" }));
    assert_eq!(json_of(&mona, &left, Method::POST, "/api/1/helloClusterTodo", create).await.0, 201);
    let user = browser.next_data().await["user"].take();
    assert_eq!(user, json!({ "username": "mona", "firstName": "Mona", "lastName": "Lisa" }));
    // The audit trail says the same, on the other instance.
    let (_, trail) = json_of(&mona, &right, Method::GET, "/api/1/helloClusterTodo/history", None).await;
    let entry = &trail["history"][0];
    assert_eq!((&entry["action"], &entry["title"], &entry["user"]), (&json!("created"), &json!("smile"), &user));
    assert!(entry["uuid"].is_null(), "{entry}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_gets_the_first_numbers_of_the_dashboard_over_rest() {
    let instance = Running::start(config(server::config::RedisConfig::default(), "0")).await;
    let guest = Visitor::default();
    let create = Some(json!({ "text": "count me" }));
    assert_eq!(json_of(&guest, &instance, Method::POST, "/api/1/helloClusterTodo", create).await.0, 201);
    let _browser = instance.open_browser().await;
    until("both are counted", async || {
        let (status, answer) = json_of(&guest, &instance, Method::GET, "/api/1/dashboard/stats", None).await;
        assert_eq!(status, 200, "{answer}");
        answer["data"]["activeUsers"] == 1 && answer["data"]["stats"]["tasks"] == 1
    })
    .await;
}
