//! The motto of the day: a value whose way over the instances is told.

use app::motto::{CHANGED, CacheLevel, Motto, REACHED};
use reqwest::Method;
use serde_json::json;

use super::pair;
use crate::kit::{instance::Running, redis::Redis, until, visitor::Visitor};

/// Only instances that are known are waited for.
async fn until_both_see_both(left: &Running, right: &Running) {
    for instance in [left, right] {
        until("it sees both", async || instance.metrics.instances().await.len() == 2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_motto_is_on_every_instance_and_pages_are_told_when() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    until_both_see_both(&left, &right).await;
    assert_eq!(right.ports.mottos.read().await.unwrap().version, 0);
    let mut browser = right.open_browser().await;
    browser.subscribe(CHANGED.name()).await;
    let mut other = right.open_browser().await;
    other.subscribe(REACHED.name()).await;

    left.ports.mottos.save(&Motto::parse("Less, but better").unwrap()).await.unwrap();
    assert_eq!(browser.next_data().await, json!({ "version": 1 }));
    let reach = other.next_data().await;
    assert_eq!((&reach["version"], &reach["silent"]), (&json!(1), &json!([])), "{reach}");
    let mut instances: Vec<&str> =
        reach["instances"].as_array().unwrap().iter().map(|it| it["instanceId"].as_str().unwrap()).collect();
    instances.sort_unstable();
    let mut all = [left.id.as_str(), right.id.as_str()];
    all.sort_unstable();
    assert_eq!(instances, all);

    let reading = right.ports.mottos.read().await.unwrap();
    assert_eq!((reading.text.as_str(), reading.version, &reading.instance_id), ("Less, but better", 1, &right.id));
    assert_eq!(right.ports.mottos.read().await.unwrap().level, Some(CacheLevel::Memory));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_level_that_answers_is_the_first_that_has_the_value() {
    let redis = Redis::start();
    let (left, right, _mongod) = pair(&redis).await;
    until_both_see_both(&left, &right).await;
    let mut browser = right.open_browser().await;
    browser.subscribe(REACHED.name()).await;
    left.ports.mottos.save(&Motto::parse("One").unwrap()).await.unwrap();
    // Until then the instances read it by themselves.
    assert_eq!(browser.next_data().await["silent"], json!([]));
    let level = async || right.ports.mottos.read().await.unwrap().level;
    assert_eq!(level().await, Some(CacheLevel::Memory));
    right.config_cache.refresh().await.unwrap();
    until("redis is asked", async || level().await == Some(CacheLevel::Redis)).await;
    redis.command("FLUSHALL");
    right.config_cache.refresh().await.unwrap();
    until("the store is asked", async || level().await == Some(CacheLevel::Store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_may_write_a_motto_with_a_plain_form_but_not_without_end() {
    let redis = Redis::start();
    let (left, _right, _mongod) = pair(&redis).await;
    let guest = Visitor::default();
    let page = "/hello-app-cluster/patterns/configuration-cache";
    let save = async |text: &str| {
        let response = guest.post_form(&left, "/fn/motto-save", &format!("text={text}")).await;
        response.headers()["location"].to_str().unwrap().to_owned()
    };
    assert_eq!(save("").await, format!("{page}?problem=motto"));
    assert_eq!(save(&"x".repeat(81)).await, format!("{page}?problem=motto"));
    assert_eq!(save("%3Cb%3E").await, format!("{page}?notice=motto-saved"));
    let shown = guest.request(&left, Method::GET, page, None).await.text().await.unwrap();
    assert!(shown.contains("&lt;b&gt;") && !shown.contains("<b>"), "{shown}");
    let mut refused = 0;
    for number in 0..40 {
        refused += usize::from(save(&format!("{number}")).await == format!("{page}?problem=crowded"));
    }
    assert!((5..=15).contains(&refused), "{refused}");
}
