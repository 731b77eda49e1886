//! Small values of a user: `jPulse.appCluster.cache`.

use super::*;
use crate::kit::{
    mongod::{Mongod, fresh_database},
    until,
};

const MODE: &str = "/api/1/app-cluster/cache/theme/mode";

/// Writes a JSON text as it stands.
async fn write(visitor: &Visitor, instance: &Running, path: &str, body: String) -> (u16, Value) {
    let mut request = reqwest::Client::new().post(instance.url(path)).body(body);
    if let Some(cookie) = visitor.cookie() {
        request = request.header("Cookie", cookie);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The text of an answer.
async fn text(visitor: &Visitor, instance: &Running, path: &str) -> String {
    visitor.request(instance, Method::GET, path, None).await.text().await.unwrap()
}

async fn is_removed(visitor: &Visitor, instance: &Running, path: &str) -> Value {
    let removed = visitor.request(instance, Method::DELETE, path, None).await;
    assert_eq!(removed.status(), 200);
    removed.json::<Value>().await.unwrap()["data"]["success"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_kept_on_one_instance_is_read_on_the_other_as_it_was_written() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let guest = Visitor::default();
    for instance in [&left, &right] {
        let (status, body) = get(&guest, instance, MODE).await;
        assert_eq!((status, &body["code"]), (401, &json!("AUTHENTICATION_REQUIRED")));
        let (status, _) = write(&guest, instance, MODE, r#"{"value":1}"#.to_owned()).await;
        assert_eq!(status, 401);
        let (status, body) = get(&admin, instance, MODE).await;
        assert_eq!((status, &body["success"], &body["data"]), (200, &json!(true), &Value::Null), "{body}");
    }
    for value in
        [r#""dark""#, "123456789012345678901234567890", r#"{"b": 1.50,"a":[]}"#, "false", "null", r#""\u00e4""#]
    {
        let (status, body) = write(&admin, &left, MODE, format!(r#"{{"value":{value},"ttl":0,"uuid":"tab"}}"#)).await;
        assert_eq!((status, &body["success"]), (200, &json!(true)), "{body}");
        let answer = text(&admin, &right, MODE).await;
        assert!(answer.contains(&format!(r#""data":{value},"#)) && answer.contains(r#""success":true"#), "{answer}");
    }
    // Another session of the same name in an account of its own has values of its own.
    let other = Visitor::log_in_as_admin(&right).await;
    assert_eq!(get(&other, &right, MODE).await.1["data"], Value::Null);
    assert_eq!(is_removed(&other, &right, MODE).await, false);
    assert_eq!(is_removed(&admin, &right, MODE).await, true);
    assert_eq!(is_removed(&admin, &left, MODE).await, false);
    assert_eq!(get(&admin, &left, MODE).await.1["data"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_ends_and_a_user_has_no_more_room_than_there_is() {
    let redis = Redis::start();
    for kept_in in [RedisConfig::default(), redis.config()] {
        let mut with_limits = config(kept_in, "0");
        with_limits.limits.requests_per_second = 10_000;
        let instance = &Running::start(with_limits).await;
        let admin = Visitor::log_in_as_admin(instance).await;
        let path = |key: &str| format!("/api/1/app-cluster/cache/c/{key}");
        write(&admin, instance, &path("short"), r#"{"value":1,"ttl":1}"#.to_owned()).await;
        assert_eq!(get(&admin, instance, &path("short")).await.1["data"], 1);
        until("it ended", async || get(&admin, instance, &path("short")).await.1["data"].is_null()).await;
        let largest = "x".repeat(64 * 1024 - 2);
        for (body, status, code) in [
            (format!(r#"{{"value":"{largest}x"}}"#), 413, "PAYLOAD_TOO_LARGE"),
            (format!(r#"{{"value":"{largest}{largest}"}}"#), 413, "PAYLOAD_TOO_LARGE"),
            ("{}".to_owned(), 400, "VALIDATION_ERROR"),
            ("[]".to_owned(), 400, "VALIDATION_ERROR"),
            (String::new(), 400, "INVALID_JSON"),
            (r#"{"value":1,"ttl":"x"}"#.to_owned(), 400, "VALIDATION_ERROR"),
            (r#"{"value":1,"ttl":-1}"#.to_owned(), 400, "VALIDATION_ERROR"),
            (r#"{"value":"#.to_owned(), 400, "INVALID_JSON"),
        ] {
            let (answered, answer) = write(&admin, instance, &path("k"), body).await;
            assert_eq!((answered, &answer["code"]), (status, &json!(code)), "{answer}");
        }
        // Each at its largest: of 20, what ends first is given up.
        for number in 0..20 {
            let body = format!(r#"{{"value":"{largest}","ttl":{}}}"#, 1_000 + number);
            assert_eq!(write(&admin, instance, &path(&format!("large{number}")), body).await.0, 200);
        }
        let mut kept = Vec::new();
        for number in 0..20 {
            if !get(&admin, instance, &path(&format!("large{number}"))).await.1["data"].is_null() {
                kept.push(number);
            }
        }
        assert_eq!(kept, (5..20).collect::<Vec<_>>(), "1 MiB holds 15 of 64 KiB and their names");
        for number in 0..300 {
            write(&admin, instance, &path(&format!("small{number}")), r#"{"value":1,"ttl":2000}"#.to_owned()).await;
        }
        let mut count = 0;
        for number in 0..300 {
            count += usize::from(get(&admin, instance, &path(&format!("small{number}"))).await.1["data"] == 1);
        }
        assert_eq!(count, 256);
    }
    let keys = redis.command("KEYS jpulse:dev:user:cache:*");
    let key = keys.lines().find(|line| line.starts_with("jpulse")).unwrap().to_owned();
    let life: i64 = redis.command(&format!("TTL {key}")).trim_start_matches(':').trim().parse().unwrap();
    assert!((1..=30 * 24 * 3_600).contains(&life), "{life}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_users_of_one_store_share_no_values_and_an_outage_is_said() {
    let (mut redis, mongod) = (Redis::start(), Mongod::shared());
    let uri = mongod.uri(&fresh_database());
    let mut with_store = config(redis.config(), "0");
    with_store.mongodb.uri.clone_from(&uri);
    let instance = Running::start(with_store).await;
    let accounts = server::account::Accounts::new(&server::store::Store::mongo(&uri).await.unwrap());
    accounts.create("Mona", "a password of hers", &[]).await.unwrap();
    let (mona, admin) = (Visitor::default(), Visitor::log_in_as_admin(&instance).await);
    assert_eq!(mona.log_in(&instance, "mona", "a password of hers").await.0, 200);
    write(&mona, &instance, MODE, r#"{"value":"dark"}"#.to_owned()).await;
    assert_eq!(get(&mona, &instance, MODE).await.1["data"], "dark");
    assert_eq!(get(&admin, &instance, MODE).await.1["data"], Value::Null);
    redis.kill();
    until("it is said", async || get(&mona, &instance, MODE).await.0 == 503).await;
    let (status, body) = write(&mona, &instance, MODE, r#"{"value":1}"#.to_owned()).await;
    assert_eq!((status, &body["code"]), (503, &json!("STORE_UNAVAILABLE")));
}
