//! What administrators tell everybody.

use http::StatusCode;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    kit::{redis::Redis, visitor::Visitor},
    sessions::pair,
};

const GLOBAL: &str = "view:system:notification:global";
const ROUTE: &str = "/api/1/admin/broadcast-notification";

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_of_an_administrator_reaches_everybody_without_a_name() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let (mut here, mut there) = (left.open_browser().await, right.open_browser().await);
    here.subscribe(GLOBAL).await;
    there.subscribe(GLOBAL).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let body = json!({ "message": " down at noon ", "level": "error", "critical": true });
    let answer = admin.request(&left, Method::POST, ROUTE, Some(body)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!((&answer["success"], &answer["data"]["adminUser"]), (&json!(true), &json!("admin")));
    for browser in [&mut here, &mut there] {
        let frame = browser.next().await;
        let heard = &frame["data"]["data"]["data"];
        assert_eq!((&heard["message"], &heard["level"]), (&json!("down at noon"), &json!("error")), "{frame}");
        assert_eq!(heard["critical"], true);
        assert!(heard["timestamp"].as_str().unwrap().ends_with('Z'));
        assert!(!frame.to_string().contains("admin"), "{frame}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_tell_everybody_and_only_what_can_be_told() {
    let redis = Redis::start();
    let (left, _right) = pair(&redis).await;
    let good = json!({ "message": "hello" });
    let guest = Visitor::default().request(&left, Method::POST, ROUTE, Some(good)).await;
    assert_eq!(guest.status(), StatusCode::UNAUTHORIZED);
    let admin = Visitor::log_in_as_admin(&left).await;
    for bad in [
        json!({}),
        json!({ "message": "" }),
        json!({ "message": "x".repeat(501) }),
        json!({ "message": { "$ne": null } }),
        json!({ "message": "x", "level": "loud" }),
        json!({ "message": "x", "critical": "yes" }),
    ] {
        let answer = admin.request(&left, Method::POST, ROUTE, Some(bad.clone())).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{bad}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["code"], "VALIDATION_ERROR", "{bad}");
    }
}
