//! Title, banner and features on pages that are open.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{name, pair, value};
use crate::kit::{browser::Browser, redis::Redis, until, visitor::Visitor};

/// In which time open pages show what was changed.
const SHOWN_WITHIN: Duration = Duration::from_secs(1);
const SITE: &str = "view:system:site:changed";
const FEATURE: &str = "view:system:feature:switched";

/// Waits until the page is told exactly this.
async fn expect(browser: &mut Browser, wanted: Value) {
    let told = async { while browser.next_data().await != wanted {} };
    assert!(timeout(SHOWN_WITHIN, told).await.is_ok(), "{wanted} is not told");
}

#[tokio::test(flavor = "multi_thread")]
async fn title_and_banner_change_on_open_pages_of_every_instance_within_a_second() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    let (admin, guest) = (Visitor::log_in_as_admin(&left).await, Visitor::default());
    let page = async || guest.request(&right, Method::GET, "/", None).await.text().await.unwrap();
    assert!(page().await.contains("jPulse") && !page().await.contains("From this site"));
    let mut browser = right.open_browser().await;
    browser.subscribe(SITE).await;
    let put = async |key: &str, value: Value| {
        let path = format!("/api/1/config/site:{key}");
        let response = admin.request(&left, Method::PUT, &path, Some(json!({ "value": value }))).await;
        assert_eq!(response.status(), 200);
    };
    put("title", json!("Tea & Co")).await;
    expect(&mut browser, json!({ "title": "Tea & Co", "banner": "" })).await;
    put("banner", json!("Closed on <b>Monday</b>")).await;
    expect(&mut browser, json!({ "title": "Tea & Co", "banner": "Closed on <b>Monday</b>" })).await;
    until("a page that is loaded has them", async || {
        let page = page().await;
        page.contains("Tea &amp; Co") && page.contains("Closed on &lt;b&gt;Monday&lt;/b&gt;")
    })
    .await;
    // What could be no banner counts as none.
    put("banner", json!({ "text": 1 })).await;
    expect(&mut browser, json!({ "title": "Tea & Co", "banner": "" })).await;
    let removed = admin.request(&left, Method::DELETE, "/api/1/config/site:title", None).await;
    assert_eq!(removed.status(), 200);
    expect(&mut browser, json!({ "title": "", "banner": "" })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_saves_for_administrators_only() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    let (admin, guest) = (Visitor::log_in_as_admin(&left).await, Visitor::default());
    let mut browser = right.open_browser().await;
    browser.subscribe(SITE).await;
    let save = async |visitor: &Visitor, body: &str| {
        let response = visitor.post_form(&left, "/fn/site-save", body).await;
        response.headers()["location"].to_str().unwrap().to_owned()
    };
    assert_eq!(save(&guest, "title=Mine&banner=").await, "/admin/site?problem=signed-out");
    assert_eq!(save(&admin, &format!("title={}&banner=", "x".repeat(61))).await, "/admin/site?problem=site-settings");
    browser.expect_nothing().await;
    assert_eq!(save(&admin, "title=+Tea+&banner=Open").await, "/admin/site?notice=saved");
    expect(&mut browser, json!({ "title": "Tea", "banner": "Open" })).await;
    let form = admin.request(&left, Method::GET, "/admin/site", None).await;
    assert_eq!(form.status(), 200);
    assert!(form.text().await.unwrap().contains("value=\"Tea\""));
    assert_eq!(guest.request(&left, Method::GET, "/admin/site", None).await.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feature_switched_on_one_instance_is_told_to_pages_of_the_other() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let mut browser = right.open_browser().await;
    browser.subscribe(FEATURE).await;
    for enabled in [true, false] {
        let body = Some(json!({ "enabled": enabled }));
        assert_eq!(admin.request(&left, Method::PUT, "/api/1/features/new_ui", body).await.status(), 200);
        expect(&mut browser, json!({ "name": "new_ui", "enabled": enabled })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_refresh_one_instance_tells_open_pages_everything() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let mut browser = right.open_browser().await;
    for channel in [SITE, FEATURE] {
        browser.subscribe(channel).await;
    }
    let switched = Some(json!({ "enabled": true }));
    assert_eq!(admin.request(&left, Method::PUT, "/api/1/features/new_ui", switched).await.status(), 200);
    expect(&mut browser, json!({ "name": "new_ui", "enabled": true })).await;
    let title = Some(json!({ "value": "Tea" }));
    assert_eq!(admin.request(&left, Method::PUT, "/api/1/config/site:title", title).await.status(), 200);
    expect(&mut browser, json!({ "title": "Tea", "banner": "" })).await;
    // Each change behind everybody's back is told by a refresh over REST, or by an instance on Node.js.
    let node = json!({
        "channel": "controller:config:data:changed",
        "data": {},
        "instanceId": "node:0",
        "timestamp": 1_767_225_600_000_u64,
    });
    for (number, refresh) in [(1, None), (2, Some(node.to_string()))] {
        let title = format!("Tea {number}");
        redis.command(&format!("SET jpulse:dev:config:config:site:title '\"{title}\"'"));
        let updated = "jpulse:dev:config:config:site:title:updated";
        let before: u64 = redis.command(&format!("GET {updated}")).lines().nth(1).unwrap().parse().unwrap();
        redis.command(&format!("SET {updated} {}", before + 1));
        match refresh {
            None => assert_eq!(admin.request(&left, Method::POST, "/api/1/cache/refresh", None).await.status(), 200),
            Some(message) => redis.publish("jpulse:dev:bc:controller:config:data:changed", &message),
        }
        expect(&mut browser, json!({ "title": title, "banner": "" })).await;
        for instance in [&left, &right] {
            until("it has heard of it too", async || value(instance, "site:title").await == title.as_str()).await;
        }
        // What either instance says after this, it would have said before.
        let mut features = 0;
        for instance in [&left, &right] {
            let last = format!("the end of {number} on {}", instance.id);
            instance.config_cache.put(&name("site:title"), json!(last), None).await.unwrap();
            loop {
                let told = browser.next_data().await;
                if told["title"] == last.as_str() {
                    break;
                }
                assert_ne!(told["title"], title.as_str(), "told twice");
                features += usize::from(told == json!({ "name": "new_ui", "enabled": true }));
            }
        }
        assert_eq!(features, 1);
    }
    let guest = Visitor::default();
    assert_eq!(guest.request(&left, Method::POST, "/api/1/cache/refresh", None).await.status(), 401);
}
