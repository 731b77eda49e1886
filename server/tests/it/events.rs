//! The relay as an event stream, as a browser that has no WebSocket sees it.

use app::ports::Publisher;
use serde_json::{Map, Value, json};
use server::config::Config;

use super::kit::{SOON, events::Events, instance::Running, redis::Redis, until};

const NEWS: &str = "view:it:news:published";
const OTHER: &str = "view:it:other:published";
/// Of 30 kB each: more than the operating system keeps for a connection nobody reads.
const MESSAGES: u64 = 700;

async fn publish(instance: &Running, channel: &str, data: Value, uuid: Option<&str>) -> Value {
    let url = instance.url(&format!("/api/1/app-cluster/broadcast/{channel}"));
    let body = json!({ "data": data, "uuid": uuid });
    reqwest::Client::new().post(url).json(&body).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_stream_says_what_a_socket_says_with_the_position_as_id() {
    let instance = Running::start(Config::default()).await;
    let mut events = Events::open(instance.address, &format!("channel={NEWS}&uuid=tab-1"), &[]).await;
    assert_eq!(events.status, 200);
    for line in ["content-type: text/event-stream", "cache-control: no-store", "x-accel-buffering: no"] {
        assert!(events.head.iter().any(|held| held == line), "{line} in {:?}", events.head);
    }
    assert!(!events.head.iter().any(|line| line.starts_with("content-encoding")));
    let mut browser = instance.open_browser().await;

    let connected = events.next().await;
    assert_eq!(connected["data"]["clientId"], "tab-1");
    assert_eq!(events.last_id, "-");
    assert!(events.retry.is_some());
    assert_eq!(events.next().await["data"]["type"], "welcome");
    let subscribed = events.subscribed().await;
    assert_eq!((&subscribed["channel"], &subscribed["recovered"]), (&json!(NEWS), &json!(false)));
    assert_eq!(events.last_id, format!("{}:0", subscribed["epoch"].as_str().unwrap()));

    browser.subscribe(NEWS).await;
    for number in 1..=3 {
        publish(&instance, NEWS, json!({ "number": number, "text": "line\nline" }), None).await;
        let frame = events.next().await;
        assert_eq!(frame, browser.next().await);
        assert_eq!(frame["data"]["data"]["data"]["number"], number);
        assert_eq!(events.last_id, format!("{}:{number}", subscribed["epoch"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn a_stream_resumes_on_the_other_instance_with_exactly_what_it_missed() {
    let redis = Redis::start();
    let config = |instance: &str| {
        let mut config = Config { redis: redis.config(), ..Config::default() };
        config.site.instance = instance.into();
        config
    };
    let (left, right) = (Running::start(config("0")).await, Running::start(config("1")).await);
    let query = format!("channel={NEWS}");
    let mut events = Events::hear(left.address, &query, &[]).await;
    events.subscribed().await;
    publish(&left, NEWS, json!({ "number": 0 }), None).await;
    assert_eq!(events.next_data().await["number"], 0);
    let last_id = events.last_id.clone();
    drop(events);
    for number in 1..=100 {
        publish(&left, NEWS, json!({ "number": number }), None).await;
    }
    let mut events = Events::hear(right.address, &query, &[("Last-Event-ID", &last_id)]).await;
    assert_eq!(events.subscribed().await["recovered"], true);
    // Cut here, nothing of what was missed would be lost.
    assert_eq!(events.last_id, last_id);
    for number in 1..=100 {
        assert_eq!(events.next_data().await["number"], number);
    }
    publish(&left, NEWS, json!({ "number": 101 }), None).await;
    assert_eq!(events.next_data().await["number"], 101);

    // The same in the address, for who opens a stream anew.
    let mut again = Events::hear(left.address, &format!("{query}&since={}", events.last_id), &[]).await;
    assert_eq!(again.subscribed().await["recovered"], true);
    publish(&right, NEWS, json!({ "number": 102 }), None).await;
    assert_eq!(again.next_data().await["number"], 102);
}

#[tokio::test]
async fn an_unknown_id_is_never_called_recovered() {
    let instance = Running::start(Config::default()).await;
    let query = format!("channel={NEWS}");
    let epoch = Events::hear(instance.address, &query, &[]).await.subscribed().await["epoch"].clone();
    let future = format!("{}:9", epoch.as_str().unwrap());
    for id in ["another:0", &future, "nonsense", "-"] {
        let mut events = Events::hear(instance.address, &query, &[("Last-Event-ID", id)]).await;
        assert_eq!(events.subscribed().await["recovered"], false, "{id}");
    }
}

#[tokio::test]
async fn two_channels_in_one_stream_resume_each_from_its_own_position() {
    let instance = Running::start(Config::default()).await;
    let query = format!("channel={NEWS}&channel=view:it:wild:*&channel={OTHER}");
    let mut events = Events::hear(instance.address, &query, &[]).await;
    for channel in [NEWS, "view:it:wild:*", OTHER] {
        assert_eq!(events.subscribed().await["channel"], channel);
    }
    for (channel, number) in [(NEWS, 1), (OTHER, 1), (NEWS, 2)] {
        publish(&instance, channel, json!({ "number": number }), None).await;
        let data = events.next().await["data"]["data"].clone();
        assert_eq!((&data["channel"], &data["offset"]), (&json!(channel), &json!(number)));
    }
    let offsets: Vec<_> = events.last_id.split(',').map(|part| part.rsplit(':').next().unwrap().to_owned()).collect();
    assert_eq!(offsets, ["2", "-", "1"]);
    let last_id = events.last_id.clone();
    drop(events);

    for (channel, number) in [(OTHER, 2), (NEWS, 3), (OTHER, 3)] {
        publish(&instance, channel, json!({ "number": number }), None).await;
    }
    let mut events = Events::hear(instance.address, &query, &[("Last-Event-ID", &last_id)]).await;
    let mut missed = Vec::new();
    let mut recovered = Vec::new();
    for _ in 0..6 {
        let frame = events.next().await;
        let data = &frame["data"]["data"];
        if frame["data"]["type"] == "subscribed" {
            recovered.push(data["recovered"].as_bool().unwrap());
        } else {
            missed.push((data["channel"].as_str().unwrap().to_owned(), data["offset"].as_u64().unwrap()));
        }
    }
    assert_eq!(recovered, [true, false, true]);
    assert_eq!(missed, [(NEWS.to_owned(), 3), (OTHER.to_owned(), 2), (OTHER.to_owned(), 3)]);
}

#[tokio::test]
async fn a_tab_that_omits_itself_does_not_hear_itself_even_when_it_comes_back() {
    let instance = Running::start(Config::default()).await;
    let query = format!("channel={NEWS}&omitSelf=true&uuid=tab-1");
    let mut events = Events::hear(instance.address, &query, &[]).await;
    events.subscribed().await;
    publish(&instance, NEWS, json!({ "from": "self" }), Some("tab-1")).await;
    publish(&instance, NEWS, json!({ "from": "other" }), Some("tab-2")).await;
    assert_eq!(events.next_data().await["from"], "other");
    let last_id = events.last_id.clone();
    drop(events);
    publish(&instance, NEWS, json!({ "from": "self" }), Some("tab-1")).await;
    publish(&instance, NEWS, json!({ "from": "another" }), Some("tab-2")).await;
    let mut events = Events::hear(instance.address, &query, &[("Last-Event-ID", &last_id)]).await;
    assert_eq!(events.subscribed().await["recovered"], true);
    assert_eq!(events.next_data().await["from"], "another");
}

#[tokio::test]
async fn what_cannot_be_heard_is_refused_as_json() {
    let mut config = Config::default();
    config.limits.sockets_per_address = 1;
    let instance = Running::start(config).await;
    let many = (0..257).map(|number| format!("channel=view:it:many:n{number}")).collect::<Vec<_>>().join("&");
    let news = format!("channel={NEWS}");
    for (query, origin, status, code) in [
        ("", None, 400, "INVALID_CHANNEL_NAME"),
        ("channel=", None, 400, "INVALID_CHANNEL_NAME"),
        ("channel=view:short", None, 400, "INVALID_CHANNEL_NAME"),
        ("channel=model:a:b:c", None, 403, "FORBIDDEN_CHANNEL"),
        (&format!("{news}&channel=controller:*"), None, 403, "FORBIDDEN_CHANNEL"),
        (&format!("{news}&since=7"), None, 400, "VALIDATION_ERROR"),
        (&many, None, 400, "TOO_MANY_SUBSCRIPTIONS"),
        (&news, Some("http://evil.example"), 403, "FORBIDDEN_ORIGIN"),
    ] {
        let head: Vec<_> = origin.iter().map(|origin| ("Origin", *origin)).collect();
        let answer = Events::open(instance.address, query, &head).await;
        assert_eq!(answer.status, status, "{query:.80}");
        let body = answer.json().await;
        assert_eq!((&body["success"], &body["code"]), (&json!(false), &json!(code)), "{query:.80}");
        assert_eq!(body["path"], "/api/1/app-cluster/events");
    }

    let own = format!("http://{}", instance.address);
    let events = Events::hear(instance.address, &news, &[("Origin", &own)]).await;
    assert_eq!(sockets(&instance), 1);
    assert_eq!(Events::open(instance.address, &news, &[]).await.status, 429);
    drop(events);
    until("the seat is free again", async || {
        sockets(&instance) == 0 && Events::open(instance.address, &news, &[]).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn a_stream_of_256_channels_comes_back_to_all_of_them() {
    let instance = Running::start(Config::default()).await;
    let query = (0..256).map(|number| format!("channel=view:it:many:n{number}")).collect::<Vec<_>>().join("&");
    let mut events = Events::hear(instance.address, &query, &[]).await;
    for _ in 0..256 {
        events.subscribed().await;
    }
    let last_id = events.last_id.clone();
    drop(events);
    publish(&instance, "view:it:many:n255", json!({ "number": 1 }), None).await;
    let mut events = Events::hear(instance.address, &query, &[("Last-Event-ID", &last_id)]).await;
    for _ in 0..256 {
        assert_eq!(events.subscribed().await["recovered"], true);
    }
    assert_eq!(events.next_data().await["number"], 1);
}

#[tokio::test]
async fn a_browser_that_reads_too_slowly_is_sent_away_and_misses_nothing() {
    let mut config = Config::default();
    config.limits.queue_messages = 16;
    config.limits.sockets_per_address = 1;
    let instance = Running::start(config).await;
    let query = format!("channel={NEWS}");
    let mut events = Events::hear(instance.address, &query, &[]).await;
    events.subscribed().await;
    let channel = NEWS.parse().unwrap();
    for number in 0..MESSAGES {
        let payload =
            Map::from_iter([("number".to_owned(), json!(number)), ("text".to_owned(), json!("x".repeat(30_000)))]);
        instance.ports.cluster.publish_broadcast(&channel, payload, Publisher::default()).await.unwrap();
    }
    until("the stream is ended", async || sockets(&instance) == 0).await;
    // Nobody reads its end: the connection goes all the same, and gives its seat back.
    until("its seat is free", async || Events::open(instance.address, &query, &[]).await.status == 200).await;
    until("that one is gone too", async || sockets(&instance) == 0).await;
    let mut seen = Vec::new();
    while let Some(frame) = events.see().await {
        seen.push(frame["data"]["data"]["data"]["number"].as_u64().unwrap());
    }
    assert!(seen.len() < usize::try_from(MESSAGES).unwrap(), "the rest was not sent");
    let mut events = Events::hear(instance.address, &query, &[("Last-Event-ID", &events.last_id)]).await;
    assert_eq!(events.subscribed().await["recovered"], true);
    while seen.last() != Some(&(MESSAGES - 1)) {
        seen.push(events.next_data().await["number"].as_u64().unwrap());
    }
    assert_eq!(seen, (0..MESSAGES).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stop_sends_streams_elsewhere_each_at_its_own_time() {
    let instance = Running::start(Config::default()).await;
    let mut events = Events::hear(instance.address, &format!("channel={NEWS}"), &[]).await;
    events.subscribed().await;
    events.retry = None;
    let began = std::time::Instant::now();
    let stopping = tokio::spawn(instance.stop());
    let drain = events.next().await;
    assert_eq!(drain["data"]["type"], "drain");
    let spread = drain["data"]["data"]["spreadMs"].as_u64().unwrap();
    assert!(events.retry.is_some_and(|pause| pause <= spread), "{:?}", events.retry);
    assert_eq!(events.see().await, None);
    stopping.await.unwrap();
    assert!(began.elapsed() < SOON / 4, "nobody waits for a stream that has ended");
}

#[tokio::test]
async fn a_stream_hears_that_the_link_is_lost_and_what_is_said_meanwhile() {
    let mut redis = Redis::start();
    let instance = Running::start(Config { redis: redis.config(), ..Config::default() }).await;
    let mut events = Events::hear(instance.address, &format!("channel={NEWS}"), &[]).await;
    events.subscribed().await;
    let last_id = events.last_id.clone();
    redis.kill();
    until("it is known", async || !instance.ports.cluster.is_redis_available()).await;
    assert_eq!(events.next().await["data"], json!({ "type": "cluster", "data": { "clusterMode": false } }));
    assert_eq!(publish(&instance, NEWS, json!({ "number": 1 }), None).await["data"]["fallback"], true);
    assert_eq!(events.next_data().await["number"], 1);
    assert_eq!(events.last_id, last_id);
}

#[tokio::test]
async fn an_idle_stream_is_kept_alive() {
    let instance = Running::start(Config::default()).await;
    let mut events = Events::hear(instance.address, &format!("channel={NEWS}"), &[]).await;
    events.subscribed().await;
    assert_eq!(events.chunk().await.unwrap(), ":\n\n");
}

fn sockets(instance: &Running) -> usize {
    instance.ports.cluster.status().sockets
}
