//! Shopping carts over REST: one on all devices of a user, and nobody else's business.

use std::{sync::Arc, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use server::{account::Accounts, config::RedisConfig, store::Store};
use tokio::time::timeout;

use super::{
    config_cache,
    kit::{
        instance::Running,
        mongod::{Mongod, fresh_database},
        redis::Redis,
        visitor::Visitor,
    },
    sessions,
};

/// In which time the other devices of a user know of a change.
const KNOWN_WITHIN: Duration = Duration::from_secs(1);

/// Asks for something below `/api/1/cart`; status and JSON of the answer.
async fn ask(visitor: &Visitor, instance: &Running, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let response = visitor.request(instance, method, &format!("/api/1/cart{path}"), body).await;
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn cart(visitor: &Visitor, instance: &Running) -> Value {
    let (status, body) = ask(visitor, instance, Method::GET, "", None).await;
    assert_eq!(status, 200, "{body}");
    body["cart"].clone()
}

async fn add(visitor: &Visitor, instance: &Running, body: Value) -> Value {
    let (status, body) = ask(visitor, instance, Method::POST, "/add", Some(body)).await;
    assert_eq!(status, 200, "{body}");
    body["cart"].clone()
}

/// Two instances with the users `admin` and `mona`, whose password is `secret`.
async fn pair(redis: &Redis) -> (Running, Running, Arc<Mongod>) {
    let mongod = Mongod::shared();
    let uri = mongod.uri(&fresh_database());
    let start = |instance| Running::start(config_cache::config(redis.config(), &uri, instance));
    let (left, right) = tokio::join!(start("0"), start("1"));
    Accounts::new(&Store::mongo(&uri).await.unwrap()).create("mona", "secret", &[]).await.unwrap();
    (left, right, mongod)
}

async fn log_in(instance: &Running, name: &str, password: &str) -> Visitor {
    let visitor = Visitor::default();
    let (status, body) = visitor.log_in(instance, name, password).await;
    assert_eq!(status, 200, "{body}");
    visitor
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_added_on_one_device_is_told_to_the_other_and_to_nobody_else() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    let (desk, phone) = (log_in(&left, "mona", "secret").await, log_in(&right, "mona", "secret").await);
    let other = Visitor::log_in_as_admin(&right).await;
    let (hers, theirs) = (cart(&phone, &right).await, cart(&other, &right).await);
    assert_eq!(cart(&desk, &left).await, hers);
    assert_ne!(hers["id"], theirs["id"]);
    let channel = |cart: &Value| format!("view:system:cart:updated:{}", cart["id"].as_str().unwrap());
    let mut phones = right.open_browser().await;
    phones.subscribe(&channel(&hers)).await;
    let mut others = right.open_browser().await;
    others.subscribe(&channel(&theirs)).await;
    let mut curious = right.open_browser().await;
    curious.subscribe("view:system:*").await;

    let changed = add(&desk, &left, json!({ "productId": "tea", "quantity": 2, "uuid": "desk" })).await;
    assert_eq!(
        (&changed["version"], &changed["itemCount"], &changed["totalCents"]),
        (&json!(1), &json!(2), &json!(960))
    );
    let told = timeout(KNOWN_WITHIN, phones.next_data()).await.expect("it is told within a second");
    assert_eq!(told, json!({ "version": 1 }));
    assert_eq!(cart(&phone, &right).await, changed);

    // Whoever listens to everything learns that some cart changed: not whose, by which tab, or how.
    let frame = curious.next().await;
    assert_eq!(frame["data"]["data"]["data"], json!({ "version": 1 }), "{frame}");
    assert_eq!(frame["data"]["ctx"], json!({ "username": "" }), "{frame}");
    for word in ["mona", "desk", "tea", "totalCents", "quantity"] {
        assert!(!frame.to_string().contains(word), "{word} in {frame}");
    }
    // Whoever minds their own business learns nothing, and their cart is theirs.
    others.expect_nothing().await;
    assert_eq!(cart(&other, &right).await, theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_is_filled_changed_and_emptied() {
    let instance = Running::start(sessions::config(RedisConfig::default(), "0")).await;
    let visitor = Visitor::log_in_as_admin(&instance).await;
    let empty = cart(&visitor, &instance).await;
    assert_eq!((&empty["items"], &empty["itemCount"], &empty["version"]), (&json!([]), &json!(0), &json!(0)));
    for _ in 0..2 {
        // Sent twice, as by a browser that got no answer.
        add(&visitor, &instance, json!({ "productId": "cup", "quantity": 3, "requestId": "one" })).await;
    }
    let full = add(&visitor, &instance, json!({ "productId": "tea", "quantity": 99 })).await;
    let items = json!([
        { "productId": "cup", "name": "Stoneware cup", "cents": 1_450, "quantity": 3 },
        { "productId": "tea", "name": "Green tea", "cents": 480, "quantity": 99 },
    ]);
    assert_eq!((&full["items"], &full["version"]), (&items, &json!(2)));
    let (status, body) = ask(&visitor, &instance, Method::PUT, "/items/tea", Some(json!({ "quantity": 1 }))).await;
    assert_eq!((status, &body["cart"]["itemCount"]), (200, &json!(4)));
    let (status, body) = ask(&visitor, &instance, Method::DELETE, "/items/cup", None).await;
    assert_eq!((status, &body["cart"]["items"][0]["productId"]), (200, &json!("tea")));
    let (status, body) = ask(&visitor, &instance, Method::PUT, "/items/tea", Some(json!({ "quantity": 0 }))).await;
    assert_eq!((status, &body["cart"]["items"], &body["cart"]["id"]), (200, &json!([]), &empty["id"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_request_for_a_cart_has_its_code_and_changes_nothing() {
    let instance = Running::start(sessions::config(RedisConfig::default(), "0")).await;
    let (visitor, guest) = (Visitor::log_in_as_admin(&instance).await, Visitor::default());
    let (status, body) = ask(&guest, &instance, Method::GET, "", None).await;
    assert_eq!((status, &body["code"]), (401, &json!("AUTHENTICATION_REQUIRED")));
    let item = |quantity: Value| Some(json!({ "productId": "tea", "quantity": quantity }));
    let cases = [
        (Method::POST, "/add", item(json!(100)), 400, "VALIDATION_ERROR"),
        (Method::POST, "/add", item(json!(-1)), 400, "VALIDATION_ERROR"),
        (Method::POST, "/add", item(json!(1.5)), 400, "VALIDATION_ERROR"),
        (Method::POST, "/add", item(json!("1")), 400, "VALIDATION_ERROR"),
        (Method::POST, "/add", Some(json!({ "quantity": 1 })), 400, "VALIDATION_ERROR"),
        (Method::POST, "/add", None, 400, "VALIDATION_ERROR"),
        (Method::POST, "/add", Some(json!({ "productId": "yacht", "quantity": 1 })), 404, "NOT_FOUND"),
        (
            Method::POST,
            "/add",
            Some(json!({ "productId": "tea", "quantity": 1, "requestId": "x".repeat(65) })),
            400,
            "VALIDATION_ERROR",
        ),
        (Method::PUT, "/items/tea", Some(json!({})), 400, "VALIDATION_ERROR"),
        (Method::PUT, "/items/yacht", item(json!(1)), 404, "NOT_FOUND"),
        (Method::DELETE, "/items/yacht", None, 404, "NOT_FOUND"),
        (Method::DELETE, "", None, 405, "METHOD_NOT_ALLOWED"),
    ];
    for (method, path, body, status, code) in cases {
        let (answered, failure) = ask(&visitor, &instance, method.clone(), path, body).await;
        assert_eq!((answered, &failure["code"]), (status, &json!(code)), "{method} {path}: {failure}");
    }
    assert_eq!(cart(&visitor, &instance).await["version"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_cart_works_with_plain_forms() {
    let instance = Running::start(sessions::config(RedisConfig::default(), "0")).await;
    let (visitor, guest) = (Visitor::log_in_as_admin(&instance).await, Visitor::default());
    let page = "/hello-app-cluster/patterns/shopping-cart";
    let html = async |visitor: &Visitor| {
        let response = visitor.request(&instance, Method::GET, page, None).await;
        assert_eq!(response.status(), 200);
        response.text().await.unwrap()
    };
    let prompt = html(&guest).await;
    assert!(prompt.contains(&format!("/login?next={page}")) && !prompt.contains("Add Green tea"), "{prompt}");
    let post = async |visitor: &Visitor, path: &str, body: &str| {
        visitor.post_form(&instance, path, body).await.headers()["location"].to_str().unwrap().to_owned()
    };
    assert_eq!(post(&visitor, "/fn/cart-add", "product=honey").await, format!("{page}?notice=cart-changed"));
    assert_eq!(post(&visitor, "/fn/cart-set", "product=honey&quantity=7").await, format!("{page}?notice=cart-changed"));
    assert_eq!(post(&visitor, "/fn/cart-set", "product=honey&quantity=100").await, format!("{page}?problem=cart-item"));
    assert_eq!(post(&guest, "/fn/cart-add", "product=honey").await, format!("{page}?problem=signed-out"));
    let shown = html(&visitor).await;
    assert!(shown.contains("7 items, 38.50 €"), "{shown}");
}
