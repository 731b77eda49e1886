//! One server.

use std::time::Duration;

use serde_json::json;

use super::{
    super::{
        check::{check, expect},
        kit::{browser::Browser, free_port, program::Program, redis::Redis, until},
    },
    NEWS, WATCHED, expect_refusal, goes_through, instance,
};

async fn pair(redis: &Redis) -> [super::Running; 2] {
    [instance(redis.config(), "0").await, instance(redis.config(), "1").await]
}

fn ok(redis: &Redis, command: &str) {
    let answer = redis.command(command);
    assert!(answer.starts_with("+OK"), "{command}: {answer}");
}

/// What `server check` says of this Redis.
async fn expect_check(redis: &Redis, words: &str) {
    let port = redis.port.to_string();
    let (code, findings) = check(&[("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", &port)]).await;
    assert_eq!(code, 1);
    expect(&findings, "redis writes", "error", words);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_redis_costs_no_storm_of_links_and_frames() {
    let redis = Redis::start();
    let pair = pair(&redis).await;
    let spoil = async || ok(&redis, &format!("REPLICAOF 127.0.0.1 {}", free_port()));
    let look = async || expect_check(&redis, "READONLY").await;
    goes_through(&pair, "READONLY", spoil, look, async || ok(&redis, "REPLICAOF NO ONE")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_redis_is_not_well() {
    let redis = Redis::start();
    let pair = pair(&redis).await;
    let spoil = async || ok(&redis, "CONFIG SET maxmemory 1");
    let look = async || expect_check(&redis, "OOM").await;
    goes_through(&pair, "OOM", spoil, look, async || ok(&redis, "CONFIG SET maxmemory 0")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_without_its_replicas_is_not_well() {
    let redis = Redis::start();
    let pair = pair(&redis).await;
    let spoil = async || ok(&redis, "CONFIG SET min-replicas-to-write 1");
    let look = async || expect_check(&redis, "NOREPLICAS").await;
    goes_through(&pair, "NOREPLICAS", spoil, look, async || ok(&redis, "CONFIG SET min-replicas-to-write 0")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_cannot_save_is_not_well() {
    let redis = Redis::start();
    let pair = pair(&redis).await;
    let in_the_way = redis.folder.path().join("dump.rdb");
    let saved = async |word: &str| {
        redis.command("BGSAVE");
        until("it tried", async || {
            redis.command("INFO persistence").contains(&format!("rdb_last_bgsave_status:{word}"))
        })
        .await;
    };
    let spoil = async || {
        std::fs::create_dir(&in_the_way).unwrap();
        ok(&redis, "CONFIG SET save \"3600 1000000\"");
        saved("err").await;
    };
    let look = async || expect_check(&redis, "MISCONF").await;
    let cure = async || {
        std::fs::remove_dir(&in_the_way).unwrap();
        saved("ok").await;
    };
    goes_through(&pair, "MISCONF", spoil, look, cure).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_has_lost_its_primary_is_not_well() {
    let redis = Redis::start_with(&["--replica-serve-stale-data", "no"]);
    let pair = pair(&redis).await;
    let spoil = async || ok(&redis, &format!("REPLICAOF 127.0.0.1 {}", free_port()));
    // Who connects now is refused everything, not only writes.
    let look = async || expect_check(&redis, "MASTERDOWN").await;
    goes_through(&pair, "READONLY", spoil, look, async || ok(&redis, "REPLICAOF NO ONE")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_loads_is_waited_for_with_growing_pauses() {
    let slowly = ["--key-load-delay", "4000", "--loading-process-events-interval-bytes", "1024"];
    let mut redis = Redis::start_with(&[&slowly[..], &["--dbfilename", "dump.rdb"]].concat());
    let fill = "for i = 1, 1000 do redis.call('SET', 'filler:' .. i, string.rep('x', 100)) end";
    redis.command(&format!("EVAL \"{fill}\" 0"));
    ok(&redis, "SAVE");
    let alone = instance(redis.config(), "0").await;
    until("it is linked", async || super::is_well(&alone).await).await;
    let connects = super::metric(&alone, "jpulse_redis_connects_total").await;
    redis.kill();
    redis.launch();
    until("it loads", async || redis.try_command("GET x").is_some_and(|answer| answer.starts_with("-LOADING"))).await;
    expect_refusal(&alone, "LOADING").await;
    until("it has loaded", async || redis.try_command("GET x").is_some_and(|answer| answer.starts_with('$'))).await;
    until("it is well again", async || super::is_well(&alone).await).await;
    let made = super::metric(&alone, "jpulse_redis_connects_total").await - connects;
    assert!(made <= 20, "{made} connects while it loaded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_is_logged_once_and_not_each_attempt() {
    let redis = Redis::start();
    let port = redis.port.to_string();
    let program = Program::start(&[("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", &port)]).await;
    let is_up = async || {
        let status = reqwest::get(program.url("/health")).await.unwrap().status();
        status == 200
    };
    until("it is linked", async || is_up().await).await;
    let mut browser = Browser::open(program.address, "tab").await;
    browser.subscribe(NEWS).await;
    ok(&redis, &format!("REPLICAOF 127.0.0.1 {}", free_port()));
    until("it knows", async || !is_up().await).await;
    let watched = tokio::time::Instant::now() + WATCHED;
    while tokio::time::Instant::now() < watched {
        browser.send(json!({ "type": "publish", "channel": NEWS, "data": { "a": 1 } })).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    ok(&redis, "REPLICAOF NO ONE");
    until("it is well again", async || is_up().await).await;
    let log = program.stop().await;
    let lines: Vec<&str> = log.lines().filter(|line| line.to_lowercase().contains("redis")).collect();
    assert!(lines.len() <= 8, "{} lines:\n{}", lines.len(), lines.join("\n"));
    assert_eq!(lines.iter().filter(|line| line.contains("READONLY")).count(), 1, "{}", lines.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drop_that_is_over_within_a_second_is_not_announced_to_browsers() {
    let redis = Redis::start();
    let alone = instance(redis.config(), "0").await;
    until("it is linked", async || super::is_well(&alone).await).await;
    let mut browser = super::listening(&alone).await;
    let connects = super::metric(&alone, "jpulse_redis_connects_total").await;
    redis.command("CLIENT KILL TYPE pubsub");
    until("there is another link", async || {
        super::metric(&alone, "jpulse_redis_connects_total").await > connects && super::is_well(&alone).await
    })
    .await;
    // Longer than a state has to last: what was to be said would have been.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(super::states(&mut browser).await.is_empty());
}
