//! What pages show of the whole cluster.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    kit::{browser::Browser, instance::Running, redis::Redis, until, visitor::Visitor},
    metrics::config,
};

/// Half of the time after which everything is told anyway.
const COUNTED_WITHIN: Duration = Duration::from_secs(5);

async fn trio(redis: &Redis) -> (Running, Running, Running) {
    let start = |instance| Running::start(config(redis.config(), "web-01", instance));
    let all = tokio::join!(start("0"), start("1"), start("2"));
    for instance in [&all.0, &all.1, &all.2] {
        until("it sees all", async || instance.ports.observatory.cluster().await.instances.len() == 3).await;
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_names_every_instance_that_heard_it_and_those_that_did_not() {
    let redis = Redis::start();
    let (left, middle, right) = trio(&redis).await;
    let ids = [&left, &middle, &right].map(|instance| instance.id.clone());
    until("every instance answers", async || {
        let trace = left.ports.observatory.trace().await;
        let all = ids.iter().all(|id| trace.hops.iter().any(|hop| hop.what.contains(&format!("by {id},"))));
        all && trace.silent.is_empty() && trace.hops[0].what.starts_with("in the log")
    })
    .await;
    // One that reports and hears nothing, as after a crash.
    let record =
        serde_json::to_string(&server::metrics::Record { instance_id: "gone:0".into(), ..right.metrics.record() });
    redis.command(&format!("SET jpulse:dev:health:instance:gone:0 '{}' EX 30", record.unwrap()));
    redis.command("SADD jpulse:dev:health:instances gone:0");
    let trace = left.ports.observatory.trace().await;
    assert_eq!(trace.silent, ["gone:0"], "{trace:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_told_that_there_are_new_numbers_and_see_the_same_on_every_instance() {
    let redis = Redis::start();
    let (left, middle, right) = trio(&redis).await;
    let mut browser = middle.open_browser().await;
    browser.subscribe("view:system:cluster:reported").await;
    let admin = Visitor::log_in_as_admin(&left).await;
    for instance in [&left, &middle, &right] {
        until("all instances and the socket are shown", async || {
            let view = admin.request(instance, Method::GET, "/fn/cluster", None).await.json::<Value>().await.unwrap();
            let instances = view["instances"].as_array().unwrap();
            let sockets = instances.iter().map(|it| it["sockets"].as_u64().unwrap()).sum::<u64>();
            view["seen_by"] == instance.id.as_str() && instances.len() == 3 && sockets == 1
        })
        .await;
        assert_eq!(admin.request(instance, Method::GET, "/admin/cluster", None).await.status(), 200);
    }
    let news = timeout(Duration::from_secs(15), async {
        // Longer than a frame usually takes: they come every ten seconds.
        loop {
            if let Ok(news) = timeout(super::kit::SOON, browser.next_data()).await {
                return news;
            }
        }
    });
    assert_eq!(news.await.unwrap(), json!({}));
    let guest = Visitor::default();
    for path in ["/fn/cluster", "/admin/cluster", "/fn/features", "/admin/features"] {
        assert_eq!(guest.request(&left, Method::GET, path, None).await.status(), 401, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_shows_what_somebody_does_on_another_instance() {
    let redis = Redis::start();
    let (left, _middle, right) = trio(&redis).await;
    let mut browser = right.open_browser().await;
    browser.subscribe("view:dashboard:activity:update").await;
    let guest = Visitor::default();
    let body = Some(json!({ "text": "Buy tea" }));
    assert_eq!(guest.request(&left, Method::POST, "/api/1/helloClusterTodo", body).await.status(), 201);
    let activity = loop {
        let activity = browser.next_data().await;
        if !activity["action"].is_null() {
            break activity;
        }
    };
    assert_eq!((&activity["action"]["type"], &activity["action"]["details"]), (&json!("created"), &json!("Buy tea")));
    assert_eq!((&activity["stats"]["instances"], &activity["stats"]["tasks"]), (&json!(3), &json!(1)));
    until("a page that is loaded has it", async || {
        let dashboard = right.ports.observatory.dashboard().await;
        dashboard.recent_actions.iter().any(|action| action.details == "Buy tea")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_counts_browsers_as_they_come_and_go() {
    let redis = Redis::start();
    let (left, _middle, right) = trio(&redis).await;
    let mut browser = left.open_browser().await;
    browser.subscribe("view:dashboard:activity:update").await;
    // One and one again, each sooner than all are told anyway.
    let mut others = Vec::new();
    for here in [2, 3] {
        others.push(right.open_browser().await);
        counted(&mut browser, here).await;
    }
    drop(others);
    counted(&mut browser, 1).await;
}

async fn counted(browser: &mut Browser, browsers: u64) {
    let told = async { while browser.next_data().await["activeUsers"] != browsers {} };
    timeout(COUNTED_WITHIN, told).await.unwrap_or_else(|_| panic!("nobody counted {browsers}"));
}
