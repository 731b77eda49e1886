//! What a session costs: the store on a Redis of its own, and requests that have none.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::json;
use server::{
    bus::{Bus, Link, RedisBus},
    config::{RedisConfig, RedisMode, SessionsConfig},
    session::{FAMILY, Sessions},
};
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
};

use crate::{
    error::LoadError,
    instance::READY_WITHIN,
    redis::Redis,
    report::{Row, Target, progress},
    setting::Setting,
};

/// Sessions that are written and read.
const SESSIONS: usize = 5_000;
/// Requests without a cookie.
const GUESTS: u64 = 1_000;

/// Measures one write and one read at a time, by the clock of this process, and counts what guests cost.
pub async fn measure() -> Result<Vec<Row>, LoadError> {
    progress("sessions, Redis");
    let redis = Redis::start().await?;
    let mut config = RedisConfig { mode: Some(RedisMode::Single), ..RedisConfig::default() };
    config.single.host = "127.0.0.1".to_owned();
    config.single.port = redis.port;
    let unready = || LoadError::NotReady("the link to redis".into());
    let (bus, _inbox) = RedisBus::start(&config, "bench:".into()).map_err(|_| unready())?;
    let mut link = bus.link();
    let linked = tokio::time::timeout(READY_WITHIN, link.wait_for(|link| *link == Link::Up)).await;
    linked.ok().and_then(Result::ok).ok_or_else(unready)?;
    let (sessions, _announced) =
        Sessions::start(&SessionsConfig::default(), Some(bus.keys()), bus.topics(FAMILY), None);
    let (mut ids, mut writes, mut reads) = (Vec::with_capacity(SESSIONS), Vec::new(), Vec::new());
    for number in 0..SESSIONS {
        let data = HashMap::from([("cart".to_owned(), json!({ "items": number, "note": "x".repeat(200) }))]);
        let expiry_date = (std::time::SystemTime::now() + Duration::from_hours(1)).into();
        let mut record = Record { id: Id::default(), data, expiry_date };
        let began = Instant::now();
        sessions.create(&mut record).await.map_err(|_| unready())?;
        writes.push(began.elapsed());
        ids.push(record.id);
    }
    for id in &ids {
        let began = Instant::now();
        sessions.load(id).await.map_err(|_| unready())?.ok_or_else(unready)?;
        reads.push(began.elapsed());
    }
    sessions.stop().await;
    bus.close().await;
    Ok(vec![
        Row::new("session: read, p99", p99(reads), "ms", Some(Target::AtMost(1.0))),
        Row::new("session: write, p99", p99(writes), "ms", Some(Target::AtMost(2.0))),
        Row::new(
            "session: commands for a request without a cookie",
            guests().await?,
            "of Redis",
            Some(Target::AtMost(0.0)),
        ),
    ])
}

/// Commands of Redis for each request of a guest, beside those that go on anyway.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
async fn guests() -> Result<f64, LoadError> {
    let servers = Setting::Two.start().await?;
    let Some(redis) = &servers.redis else { return Ok(f64::NAN) };
    let (client, url) = (Client::new(), servers.instance_for(0).url("/api/1/auth/status"));
    let began = Instant::now();
    let before = redis.commands().await?;
    for _ in 0..GUESTS {
        client.get(&url).send().await?.error_for_status()?;
    }
    let (elapsed, with) = (began.elapsed(), redis.commands().await?);
    tokio::time::sleep(elapsed).await;
    let without = redis.commands().await?;
    let commands = (with - before).saturating_sub(without - with);
    // A heartbeat more or less is no request's.
    Ok((commands as f64 / GUESTS as f64 * 10.0).floor() / 10.0)
}

fn p99(mut took: Vec<Duration>) -> f64 {
    took.sort();
    let rank = (took.len() * 99).div_ceil(100).saturating_sub(1);
    took.get(rank).map_or(f64::NAN, |took| took.as_secs_f64() * 1_000.0)
}
