//! What was said of an endpoint goes with it.

use reqwest::Method;

use super::*;
use crate::kit::{until, until_within};

const ENDPOINTS: &str = "/api/1/ws/endpoints";
const CHAT: &str = "/api/1/ws/it-chat";

async fn define(admin: &Visitor, instance: &Running) {
    let definition = json!({ "name": "it-chat", "auth": "public" });
    assert_eq!(admin.request(instance, Method::POST, ENDPOINTS, Some(definition)).await.status(), 201);
}

async fn remove(admin: &Visitor, instance: &Running) {
    let removed = admin.request(instance, Method::DELETE, &format!("{ENDPOINTS}/it-chat"), None).await;
    assert_eq!(removed.status(), 200);
}

async fn online(admin: &Visitor, instance: &Running) -> Value {
    let path = format!("{CHAT}/user/guest:t/online");
    let response = admin.request(instance, Method::GET, &path, None).await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn is_live(instance: &Running) -> bool {
    reqwest::get(instance.url(CHAT)).await.unwrap().status() == 426
}

/// What is left of the endpoint in Redis.
fn left_behind(redis: &Redis) -> Vec<String> {
    let keys = redis.command("KEYS jpulse:dev:ws:*:it-chat:*");
    keys.lines().filter(|line| line.contains("it-chat")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_made_again_says_of_nobody_who_is_gone_that_they_are_online() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    define(&admin, &left).await;
    until("it is live", async || is_live(&right).await).await;
    let mut tab = Tab::open(right.address, &format!("{CHAT}?uuid=t")).await;
    assert_eq!(online(&admin, &left).await["instances"], json!([right.id]));
    until("both have reported", async || left_behind(&redis).len() == 3).await;
    remove(&admin, &left).await;
    assert_eq!(code(&tab.next().await), "UNAUTHORIZED");
    assert_eq!(tab.see().await, Err(4403));
    until_within(std::time::Duration::from_secs(3), "nothing is left", async || left_behind(&redis).is_empty()).await;
    define(&admin, &left).await;
    until("it is live again", async || is_live(&right).await).await;
    for instance in [&left, &right] {
        let answer = online(&admin, instance).await;
        assert_eq!((&answer["online"], &answer["instances"]), (&json!(false), &json!([])));
    }
    // Who comes back is there, and stays.
    let _tab = Tab::open(right.address, &format!("{CHAT}?uuid=t")).await;
    for _ in 0..20 {
        assert_eq!(online(&admin, &left).await["instances"], json!([right.id]));
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_right_after_the_removal_of_an_endpoint_leaves_nothing_of_it() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    define(&admin, &left).await;
    until("it is live", async || is_live(&right).await).await;
    let _tab = Tab::open(right.address, &format!("{CHAT}?uuid=t")).await;
    until("both have reported", async || left_behind(&redis).len() == 3).await;
    remove(&admin, &left).await;
    until("it is gone", async || !is_live(&right).await).await;
    tokio::join!(left.stop(), right.stop());
    assert_eq!(left_behind(&redis), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_leaves_while_redis_is_away_is_not_online_when_it_is_back() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let path = "/api/1/ws/hello-emoji/user/guest:t/online";
    let online = async || {
        let response = admin.request(&left, Method::GET, path, None).await;
        response.json::<Value>().await.unwrap()["online"] == true
    };
    let tab = Tab::open(right.address, &format!("{EMOJI}?uuid=t")).await;
    assert!(online().await);
    // Longer than the link lives without an answer, and than a user who left counts as present.
    redis.pause();
    until("the loss is noticed", async || !right.ports.cluster.is_redis_available()).await;
    tab.close().await;
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    redis.resume();
    until("redis is back", async || {
        left.ports.cluster.is_redis_available() && right.ports.cluster.is_redis_available()
    })
    .await;
    until("it is offline", async || !online().await).await;
    assert_eq!(redis.command("KEYS jpulse:dev:ws:online:hello-emoji:guest:t"), "*0\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_whose_set_was_evicted_is_online_all_the_same() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let _tab = Tab::open(right.address, &format!("{EMOJI}?uuid=t")).await;
    let path = "/api/1/ws/hello-emoji/user/guest:t/online";
    let instances = async || {
        let response = admin.request(&left, Method::GET, path, None).await;
        response.json::<Value>().await.unwrap()["instances"].clone()
    };
    let stats = async || {
        let response = admin.request(&left, Method::GET, "/api/1/ws/stats", None).await;
        response.json::<Value>().await.unwrap()["hello-emoji"]["users"].clone()
    };
    until("it is reported", async || stats().await == 1).await;
    for _ in 0..5 {
        redis.command("DEL jpulse:dev:ws:online:hello-emoji:guest:t");
        redis.command(&format!("DEL jpulse:dev:ws:report:hello-emoji:{}", right.id));
        assert_eq!(instances().await, json!([right.id]));
        assert_eq!(stats().await, 1);
    }
}
