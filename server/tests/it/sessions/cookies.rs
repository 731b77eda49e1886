//! What browsers are given, and what they may give back.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use reqwest::{Method, header};
use serde_json::{Value, json};
use server::config::{Mode, RedisConfig};

use super::{Running, Visitor, config};
use crate::kit::{redis::Redis, visitor::PASSWORD};

const LOGIN: &str = "/api/1/auth/login";

async fn alone() -> Running {
    Running::start(config(RedisConfig::default(), "0")).await
}

#[expect(clippy::unnecessary_wraps, reason = "requests take an optional body")]
fn credentials() -> Option<Value> {
    Some(json!({ "username": "admin", "password": PASSWORD }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_has_no_cookie_and_costs_redis_nothing() {
    let redis = Redis::start();
    let instance = Running::start(config(redis.config(), "0")).await;
    // Everything is slower than nothing, and is noted with its keys.
    redis.command("CONFIG SET slowlog-max-len 10000");
    redis.command("CONFIG SET slowlog-log-slower-than 0");
    let guest = Visitor::default();
    for path in ["/api/1/auth/status", "/", "/login", "/account", "/api/1/helloClusterTodo"] {
        let response = guest.request(&instance, Method::GET, path, None).await;
        assert!(!response.headers().contains_key(header::SET_COOKIE), "{path}");
    }
    assert_eq!(guest.post(&instance, "/api/1/auth/logout").await, 200);
    // All sessions are counted now and then, whoever is there.
    let names_a_session = |line: &str| line.contains("sess:") && !line.ends_with("sess:*");
    assert!(!commands(&redis).lines().any(names_a_session), "{}", commands(&redis));
    Visitor::log_in_as_admin(&instance).await;
    assert!(commands(&redis).lines().any(names_a_session), "the same of a user is noted");
}

/// What Redis was asked so far.
fn commands(redis: &Redis) -> String {
    let arguments = ["-p", &redis.port.to_string(), "SLOWLOG", "GET", "10000"];
    let output = Command::new("redis-cli").args(arguments).output().expect("redis-cli is on PATH");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_is_for_this_site_and_not_for_scripts() {
    let instance = alone().await;
    let visitor = Visitor::default();
    let response = visitor.request(&instance, Method::POST, LOGIN, credentials()).await;
    let set = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    for part in ["session=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"] {
        assert!(set.contains(part), "{part} in {set}");
    }
    assert!(!set.contains("Secure") && !set.contains("Domain"), "{set}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_production_cookie_is_for_encrypted_connections_to_this_host_alone() {
    let mut config = config(RedisConfig::default(), "0");
    config.site.mode = Mode::Prod;
    let instance = Running::start(config).await;
    let visitor = Visitor::default();
    let login = visitor.request(&instance, Method::POST, LOGIN, credentials()).await;
    let set = login.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(set.starts_with("__Host-session=") && set.contains("Secure") && set.contains("Path=/"), "{set}");
    assert_eq!(visitor.name(&instance).await.as_deref(), Some("admin"));
    let logout = visitor.request(&instance, Method::POST, "/api/1/auth/logout", None).await;
    let removal = logout.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(removal.contains("Max-Age=0") && removal.contains("Secure"), "{removal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_known_before_the_sign_in_is_worth_nothing_after_it() {
    let instance = alone().await;
    let visitor = Visitor::log_in_as_admin(&instance).await;
    let before = visitor.cookie().unwrap();
    assert_eq!(visitor.log_in(&instance, "admin", PASSWORD).await.0, 200);
    assert_ne!(visitor.cookie().unwrap(), before);
    assert_eq!(Visitor::with_cookie(&before).name(&instance).await, None);
    assert_eq!(visitor.name(&instance).await.as_deref(), Some("admin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_and_foreign_cookies_make_nobody() {
    let instance = alone().await;
    let visitor = Visitor::log_in_as_admin(&instance).await;
    let (cookie, id) = (visitor.cookie().unwrap(), visitor.session_id());
    let mut other = config(RedisConfig::default(), "1");
    other.sessions.secret = "another secret of the tests, as long".into();
    let foreign = Visitor::log_in_as_admin(&Running::start(other).await).await;
    let forged = [
        format!("session={id}"),
        cookie.replacen("session=", "session=A", 1),
        format!("{}{}", &cookie[..cookie.len() - 1], if cookie.ends_with('A') { 'Q' } else { 'A' }),
        "session=".into(),
        format!("session={}", "A".repeat(5_000)),
        foreign.cookie().unwrap(),
    ];
    for cookie in forged {
        assert_eq!(Visitor::with_cookie(&cookie).name(&instance).await, None, "{cookie}");
    }
    assert_eq!(visitor.name(&instance).await.as_deref(), Some("admin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_name_and_password_is_refused_before_the_store() {
    let instance = alone().await;
    let nobody = Visitor::default();
    for (status, code, body) in [
        (400, "VALIDATION_ERROR", json!({ "username": { "$ne": null }, "password": { "$ne": null } })),
        (400, "VALIDATION_ERROR", json!({ "username": "admin", "password": { "$gt": "" } })),
        (400, "VALIDATION_ERROR", json!({ "username": "admin" })),
        (400, "VALIDATION_ERROR", json!([])),
        (401, "INVALID_CREDENTIALS", json!({ "username": "admin", "password": "wrong" })),
        (401, "INVALID_CREDENTIALS", json!({ "username": "nobody", "password": PASSWORD })),
        (401, "INVALID_CREDENTIALS", json!({ "username": "", "password": "" })),
        (401, "INVALID_CREDENTIALS", json!({ "username": "a\u{0}b", "password": "x".repeat(10_000) })),
    ] {
        let response = nobody.request(&instance, Method::POST, LOGIN, Some(body.clone())).await;
        assert_eq!(response.status(), status, "{body}");
        assert!(!response.headers().contains_key(header::SET_COOKIE));
        assert_eq!(response.json::<Value>().await.unwrap()["code"], code, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_refused_as_slowly_as_a_wrong_password() {
    let instance = alone().await;
    let nobody = Visitor::default();
    let attempt = async |username: &str| {
        let since = Instant::now();
        assert_eq!(nobody.log_in(&instance, username, "wrong").await.0, 401);
        since.elapsed()
    };
    // By turns, and the fastest of each: what else the machine does slows both down. Together below the limit of 15.
    let (mut known, mut unknown) = (Duration::MAX, Duration::MAX);
    for _ in 0..7 {
        known = known.min(attempt("admin").await);
        unknown = unknown.min(attempt("nobody").await);
    }
    assert!(unknown * 2 > known && known * 2 > unknown, "known {known:?}, unknown {unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_work_without_webassembly_and_lead_nowhere_else() {
    let instance = alone().await;
    let visitor = Visitor::default();
    let form =
        |next: &str, password: &str| format!("username=admin&password={}&next={next}", password.replace(' ', "+"));
    for (next, leads_to) in [
        ("%2Fhello-app-cluster%2F", "/hello-app-cluster/"),
        ("https%3A%2F%2Fevil.example", "/account"),
        ("%2F%2Fevil.example", "/account"),
        ("%2F%5Cevil.example", "/account"),
        ("", "/account"),
    ] {
        let response = visitor.post_form(&instance, "/fn/log-in", &form(next, PASSWORD)).await;
        let location = response.headers()[header::LOCATION].to_str().unwrap();
        assert_eq!((response.status().as_u16(), location), (303, leads_to));
    }
    let refused = visitor.post_form(&instance, "/fn/log-in", &form("%2Faccount", "wrong")).await;
    assert_eq!(refused.headers()[header::LOCATION], "/login?problem=credentials&next=/account");
    let page = visitor.request(&instance, Method::GET, "/login?problem=credentials&next=//evil.example", None).await;
    assert_eq!(page.status(), 401);
    let page = page.text().await.unwrap();
    assert!(page.contains("The name or the password is wrong.") && !page.contains("evil.example\""), "{page}");
    let account = visitor.request(&instance, Method::GET, "/account", None).await.text().await.unwrap();
    assert!(account.contains("this one") && account.contains("Sign out everywhere"), "{account}");
    let ended = visitor.post_form(&instance, "/fn/log-out", "").await;
    assert_eq!(ended.headers()[header::LOCATION], "/login?notice=signed-out");
    assert_eq!(visitor.name(&instance).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_ends_one_of_several_sessions() {
    let instance = alone().await;
    let (own, other) = (Visitor::log_in_as_admin(&instance).await, Visitor::log_in_as_admin(&instance).await);
    let page = own.request(&instance, Method::GET, "/account", None).await.text().await.unwrap();
    assert!(!page.contains(&own.session_id()) && !page.contains(&other.session_id()), "names of sessions stay secret");
    let handles: Vec<&str> = page.split("name=\"handle\"").skip(1).filter_map(|rest| rest.split('"').nth(1)).collect();
    assert_eq!(handles.len(), 2, "{page}");
    for handle in handles {
        if other.name(&instance).await.is_some() && own.name(&instance).await.is_some() {
            own.post_form(&instance, "/fn/session-end", &format!("handle={handle}")).await;
        }
    }
    let left = [own.name(&instance).await, other.name(&instance).await];
    assert_eq!(left.iter().filter(|name| name.is_some()).count(), 1);
}
