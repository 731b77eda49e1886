//! The whole is the sum of its parts.

use reqwest::Method;
use serde_json::{Value, json};
use server::{config::RedisConfig, metrics::Rule};

use super::{ask, cluster, config};
use crate::kit::{
    instance::Running,
    mongod::{Mongod, fresh_database},
    redis::Redis,
    tab::Tab,
    until,
    visitor::Visitor,
};

#[tokio::test(flavor = "multi_thread")]
async fn three_instances_under_two_names_add_up() {
    let redis = Redis::start();
    let mongod = Mongod::shared();
    let uri = mongod.uri(&fresh_database());
    let start = |host, instance| {
        let mut config = config(redis.config(), host, instance);
        config.mongodb.uri.clone_from(&uri);
        Running::start(config)
    };
    let (one, two, three) = tokio::join!(start("web-01", "0"), start("web-01", "1"), start("web-02", "0"));
    let (_a, _b, _c) = tokio::join!(one.open_browser(), one.open_browser(), three.open_browser());
    let mut tabs = Vec::new();
    for instance in [&one, &three] {
        let mut tab = Tab::open(instance.address, "/api/1/ws/hello-emoji").await;
        tab.send(json!({ "type": "broadcast", "data": { "emoji": "tea" } })).await;
        tabs.push(tab);
    }
    let admin = Visitor::log_in_as_admin(&two).await;
    for instance in [&one, &two, &three] {
        until("all sockets are seen", async || {
            let statistics = cluster(&admin, instance).await["statistics"].take();
            statistics["totalInstances"] == 3
                && statistics["totalWebSocketConnections"] == 5
                && statistics["totalWebSocketMessages"] == 2
        })
        .await;
    }
    let all = cluster(&admin, &two).await;
    let statistics = &all["statistics"];
    assert_eq!(all["status"], "ok");
    assert_eq!((&statistics["totalServers"], &statistics["runningProcesses"]), (&json!(2), &json!(3)));
    let servers = all["servers"].as_array().unwrap();
    assert_eq!(servers.iter().map(|server| &server["serverName"]).collect::<Vec<_>>(), ["web-01", "web-02"]);
    assert_eq!((&servers[1]["serverId"], &servers[1]["nodeVersion"]), (&json!(2), &Value::Null));
    let instances: Vec<&Value> = servers.iter().flat_map(|server| server["instances"].as_array().unwrap()).collect();
    let sum = |field: &str| instances.iter().map(|it| it["websockets"][field].as_u64().unwrap()).sum::<u64>();
    assert_eq!(statistics["totalWebSocketConnections"], sum("localConnections"));
    assert_eq!(statistics["totalWebSocketMessages"], sum("localMessages"));
    let namespaces = statistics["webSocketNamespaces"].as_array().unwrap();
    assert_eq!(statistics["totalWebSocketNamespaces"], namespaces.len());
    let parts = instances.iter().flat_map(|it| it["websockets"]["namespaces"].as_array().unwrap());
    for namespace in namespaces {
        let own = parts.clone().filter(|part| part["path"] == namespace["path"]);
        for (total, part) in [("totalConnections", "connections"), ("totalMessages", "messages")] {
            let sum: u64 = own.clone().map(|it| it[part].as_u64().unwrap()).sum();
            assert_eq!(namespace[total], sum, "{namespace}");
        }
        assert_eq!(own.map(|it| it["lastActivity"].as_str()).max().unwrap(), namespace["lastActivity"].as_str());
        assert_eq!((&namespace["instanceCount"], &namespace["serverCount"]), (&json!(3), &json!(2)), "{namespace}");
        assert_eq!(namespace["status"], "green", "{namespace}");
    }
    let sockets = |path: &str| namespaces.iter().find(|it| it["path"] == path).unwrap()["totalConnections"].as_u64();
    assert_eq!((sockets("/api/1/ws/jp-broadcast"), sockets("/api/1/ws/hello-emoji")), (Some(3), Some(2)));
    let mongodb = &servers[0]["mongodb"];
    assert_eq!(mongodb["status"], "running", "{mongodb}");
    assert!(mongodb["version"].is_string() && mongodb["connections"]["current"].as_u64() > Some(0), "{mongodb}");
    for field in [
        "pid",
        "version",
        "release",
        "environment",
        "database",
        "deployment",
        "uptime",
        "uptimeFormatted",
        "memory",
        "cpu",
        "restarts",
        "websockets",
        "processInfo",
        "pm2Available",
        "pm2ProcessName",
        "status",
    ] {
        assert!(instances.iter().all(|instance| instance.get(field).is_some()), "{field}");
    }
    assert_eq!(ask(&admin, &one, "/api/1/health/metrics").await["data"]["statistics"]["totalInstances"], 3);
    assert_eq!(ask(&admin, &one, "/api/1/metrics/servers").await["data"]["servers"].as_array().unwrap().len(), 2);
    let keys = redis.command("KEYS *");
    for key in keys.lines().filter(|line| line.starts_with("jpulse")) {
        assert!(!redis.command(&format!("TTL {key}")).starts_with(":-1"), "{key} never expires");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_route_and_status_for_all_instances() {
    let redis = Redis::start();
    let start = |instance| Running::start(config(redis.config(), "web-01", instance));
    let (left, right) = tokio::join!(start("0"), start("1"));
    let admin = Visitor::log_in_as_admin(&right).await;
    for id in ["secret-one", "secret-two"] {
        let path = format!("/api/1/helloClusterTodo/{id}");
        assert_eq!(admin.request(&left, Method::DELETE, &path, None).await.status(), 400);
    }
    let field = "/api/1/helloClusterTodo/{id}:400";
    until("the other instance knows", async || {
        let answer = ask(&admin, &right, "/api/1/metrics/requests?minutes=2").await;
        answer["data"]["requests"][field] == 2
    })
    .await;
    let answer = ask(&admin, &right, "/api/1/metrics/requests?minutes=2").await["data"].take();
    assert!(!answer.to_string().contains("secret-"), "{answer}");
    let rows = answer["routes"].as_array().unwrap();
    let row = rows.iter().find(|row| row["route"] == "/api/1/helloClusterTodo/{id}").unwrap();
    assert_eq!((&row["total"], &row["statuses"]), (&json!(2), &json!({ "400": 2 })));
    assert_eq!(admin.request(&left, Method::GET, "/api/1/metrics/requests?minutes=no", None).await.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_on_one_instance_is_seen_on_the_other() {
    let redis = Redis::start();
    let mut broken = config(redis.config(), "web-01", "0");
    broken.mongodb.uri = "mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=50".into();
    let (broken, well) = tokio::join!(Running::start(broken), Running::start(config(redis.config(), "web-01", "1")));
    let admin = Visitor::log_in_as_admin(&well).await;
    let response = admin.request(&broken, Method::GET, "/api/1/helloClusterTodo?limit=5", None).await;
    assert_eq!(response.status(), 503);
    until("it is seen", async || {
        let answer = ask(&admin, &well, "/api/1/metrics/errors/recent?count=5").await;
        let errors = answer["data"]["errors"].as_array().unwrap().clone();
        errors.iter().any(|error| {
            error["instanceId"] == broken.id.as_str()
                && error["context"]["url"] == "/api/1/helloClusterTodo"
                && error["context"]["status"] == 503
        })
    })
    .await;
    until("the instance counts as errored", async || {
        cluster(&admin, &well).await["statistics"]["erroredProcesses"] == 1
    })
    .await;
    let health = admin.request(&broken, Method::GET, "/health", None).await;
    assert_eq!(health.status(), 503);
    assert_eq!(health.json::<Value>().await.unwrap()["mongodb"]["ok"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_alone_answers_in_the_same_shape() {
    let instance = Running::start(config(RedisConfig::default(), "alone", "0")).await;
    let admin = Visitor::log_in_as_admin(&instance).await;
    let all = cluster(&admin, &instance).await;
    assert_eq!((&all["statistics"]["totalInstances"], &all["servers"][0]["serverName"]), (&json!(1), &json!("alone")));
    assert!(ask(&admin, &instance, "/api/1/metrics/requests").await["data"]["total"].as_u64().unwrap() > 0);
    assert_eq!(ask(&admin, &instance, "/api/1/metrics/errors/recent").await["data"]["errors"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_administrators_is_for_nobody_else() {
    let instance = Running::start(config(RedisConfig::default(), "web-01", "0")).await;
    let guest = Visitor::default();
    for path in [
        "/api/1/metrics",
        "/api/1/health/metrics",
        "/api/1/metrics/servers",
        "/api/1/metrics/requests",
        "/api/1/metrics/errors/recent",
        "/api/1/config/a",
    ] {
        assert_eq!(guest.request(&instance, Method::GET, path, None).await.status(), 401, "{path}");
    }
    let health: Value = guest.request(&instance, Method::GET, "/api/1/health", None).await.json().await.unwrap();
    assert_eq!(
        (&health["status"], &health["data"]["instances"][0]["instanceId"]),
        (&json!("healthy"), &json!(instance.id))
    );
    for private in ["web-01", "pid", "port", "mongodb"] {
        assert!(!health["data"].to_string().contains(private), "{private} in {health}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_has_its_own_metrics() {
    let redis = Redis::start();
    let start = |instance| Running::start(config(redis.config(), "web-01", instance));
    let (left, right) = tokio::join!(start("0"), start("1"));
    for (instance, orders, fill) in [(&left, 2, 7.0), (&right, 3, 5.0)] {
        instance.metrics.add("orders", orders).unwrap();
        instance.metrics.register("fill", Rule::Max, move || fill).unwrap();
    }
    let admin = Visitor::log_in_as_admin(&left).await;
    for instance in [&left, &right] {
        until("both are in", async || {
            let custom = cluster(&admin, instance).await["statistics"]["custom"].take();
            custom["orders"]["value"] == 5.0 && custom["fill"]["value"] == 7.0
        })
        .await;
    }
    let key = format!("jpulse:dev:metric:orders:{}", right.id);
    assert_eq!(redis.command(&format!("GET {key}")), "$1\r\n3\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_reads_what_happened() {
    let mut config = config(RedisConfig::default(), "web-01", "0");
    config.metrics.token = "a token of the tests".into();
    let instance = Running::start(config).await;
    let mut browser = instance.open_browser().await;
    browser.subscribe("view:a:b:c").await;
    let body = json!({ "data": { "n": 1 } });
    let guest = Visitor::default();
    let published = guest.request(&instance, Method::POST, "/api/1/app-cluster/broadcast/view:a:b:c", Some(body)).await;
    assert_eq!(published.status(), 200);
    let client = reqwest::Client::new();
    let text = async || client.get(instance.url("/metrics")).send().await.unwrap().text().await.unwrap();
    until("the delivery is counted", async || text().await.contains("jpulse_delivery_seconds_count{layer=\"view\"} 1"))
        .await;
    let seen = text().await;
    for line in
        ["jpulse_gaps_total 0", "jpulse_sockets{endpoint=\"/api/1/ws/jp-broadcast\"} 1", "jpulse_redis_configured 0"]
    {
        assert!(seen.lines().any(|found| found == line), "{line} in\n{seen}");
    }
    let from_elsewhere = || client.get(instance.url("/metrics")).header("X-Forwarded-For", "192.0.2.1");
    assert_eq!(from_elsewhere().send().await.unwrap().status(), 401);
    let known = from_elsewhere().bearer_auth("a token of the tests").send().await.unwrap();
    assert_eq!(known.status(), 200);
}
