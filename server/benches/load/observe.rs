//! What it costs to measure, to put together what fifty instances measure, and to read configuration.

use std::{
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use server::{
    Instance,
    bus::{Bus, Keys, Link, Put, RedisBus},
    config::{Config, RedisConfig, RedisMode},
    metrics::{Namespace, Record, Server, report},
    store::ConfigName,
};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::{
    error::LoadError,
    instance::READY_WITHIN,
    redis::Redis,
    report::{Row, Target, progress},
};

/// Instances that are put together, this one included.
const INSTANCES: usize = 50;
/// Endpoints of each.
const ENDPOINTS: usize = 8;
/// How often they are put together.
const REPEATED: usize = 100;
/// Values of configuration.
const VALUES: usize = 1_000;
/// What takes less than a microsecond is done so often.
const MANY: u32 = 1_000_000;
/// Reports whose writing is measured, one a second.
const REPORTS: usize = 5;

/// Measures two instances in this process, by its clock.
pub async fn measure() -> Result<Vec<Row>, LoadError> {
    progress("metrics and configuration, 2 instances, Redis");
    let redis = Redis::start().await?;
    let mut redis_config = RedisConfig { mode: Some(RedisMode::Single), ..RedisConfig::default() };
    redis_config.single.host = "127.0.0.1".to_owned();
    redis_config.single.port = redis.port;
    let folder = TempDir::with_prefix("jpulse-bench-")?;
    let one = bind(&redis_config, folder.path(), "0").await?;
    let other = bind(&redis_config, folder.path(), "1").await?;
    let mut rows = configuration(&one, &other).await?;
    rows.push(tracking(&one));
    rows.push(reports(&one).await);
    rows.push(aggregation(&one, &redis_config).await?);
    Ok(rows)
}

/// An instance that answers nobody: everything but its port is at work.
async fn bind(redis: &RedisConfig, folder: &Path, number: &str) -> Result<Instance, LoadError> {
    let mut config = Config { redis: redis.clone(), ..Config::default() };
    config.server.port = 0;
    config.server.data_dir = folder.join(number);
    config.server.site_root = folder.to_owned();
    config.site.instance = number.to_owned();
    config.metrics.report_seconds = 1;
    Instance::bind(config).await.map_err(|error| LoadError::NotReady(format!("an instance ({error})")))
}

async fn configuration(one: &Instance, other: &Instance) -> Result<Vec<Row>, LoadError> {
    let unready = || LoadError::NotReady("the configuration".into());
    let mut names = Vec::with_capacity(VALUES);
    for number in 0..VALUES {
        let name = ConfigName::parse("config", &format!("bench:{number}")).map_err(|_| unready())?;
        let value = serde_json::json!({ "number": number, "note": "x".repeat(200) });
        one.config_cache().put(&name, value, None).await.map_err(|_| unready())?;
        names.push(name);
    }
    let before = other.config_cache().reads();
    let mut from_redis = Vec::with_capacity(VALUES);
    for name in &names {
        let began = Instant::now();
        black_box(other.config_cache().get(name).await.map_err(|_| unready())?);
        from_redis.push(began.elapsed());
    }
    let after = other.config_cache().reads();
    if after.redis - before.redis != names.len() as u64 {
        return Err(LoadError::unexpected("every value from Redis", format!("{after:?}").as_bytes()));
    }
    let began = Instant::now();
    for number in 0..MANY as usize {
        black_box(other.config_cache().get(&names[number % VALUES]).await.map_err(|_| unready())?);
    }
    let local = began.elapsed() / MANY;
    Ok(vec![
        Row::new("configuration: read from memory", micros(local), "µs", Some(Target::AtMost(1.0))),
        Row::new("configuration: read from Redis, p99", millis(p99(from_redis)), "ms", Some(Target::AtMost(1.0))),
    ])
}

/// What one request costs to count.
fn tracking(instance: &Instance) -> Row {
    const ROUTES: [&str; 4] = ["/", "/api/1/helloClusterTodo", "/api/1/helloClusterTodo/{id}", "/health"];
    let metrics = instance.metrics();
    let began = Instant::now();
    for number in 0..MANY as usize {
        let _under_way = metrics.begin_request();
        metrics.count_request(ROUTES[number % ROUTES.len()], 200, Duration::from_micros(900));
    }
    Row::new("metrics: counting a request", micros(began.elapsed() / MANY), "µs", Some(Target::AtMost(1.0)))
}

/// How long Redis takes to take an instance's record, as the instance itself says.
async fn reports(instance: &Instance) -> Row {
    let mut slowest = 0;
    for _ in 0..REPORTS {
        sleep(Duration::from_secs(1)).await;
        slowest = slowest.max(instance.metrics().record().process.redis_micros);
    }
    let slowest = millis(Duration::from_micros(slowest));
    Row::new("metrics: writing a record, the slowest", slowest, "ms", Some(Target::AtMost(2.0)))
}

async fn aggregation(instance: &Instance, redis: &RedisConfig) -> Result<Row, LoadError> {
    let unready = || LoadError::NotReady("the link to redis".into());
    let (bus, _inbox) = RedisBus::start(redis, Config::default().site.prefix()).map_err(|_| unready())?;
    let mut link = bus.link();
    let linked = timeout(READY_WITHIN, link.wait_for(|link| *link == Link::Up)).await;
    linked.ok().and_then(Result::ok).ok_or_else(unready)?;
    write_records(&bus.keys(), &instance.metrics().record()).await.map_err(|_| unready())?;
    let mut took = Vec::with_capacity(REPEATED);
    for _ in 0..REPEATED {
        let began = Instant::now();
        let records = instance.metrics().instances().await;
        let all = report::cluster(&records, 0);
        took.push(began.elapsed());
        // Beside the two that run.
        if all["statistics"]["totalInstances"] != INSTANCES {
            return Err(LoadError::unexpected("fifty instances", all["statistics"].to_string().as_bytes()));
        }
    }
    bus.close().await;
    let name = format!("metrics: {INSTANCES} instances put together, p99");
    Ok(Row::new(name, millis(p99(took)), "ms", Some(Target::AtMost(50.0))))
}

/// Writes what as many instances would report as are missing.
async fn write_records(keys: &Keys, like: &Record) -> Result<(), server::bus::BusError> {
    const LIFE: Duration = Duration::from_mins(1);
    for number in 2..INSTANCES {
        let host = number % 10 + 1;
        let namespace =
            |endpoint| Namespace { path: format!("/api/1/ws/e{endpoint}"), connections: 2, ..Namespace::default() };
        let record = Record {
            instance_id: format!("{host:02}:{number}"),
            server: Server { name: format!("web-{host:02}"), ..like.server.clone() },
            namespaces: (0..ENDPOINTS).map(namespace).collect(),
            ..like.clone()
        };
        let json = serde_json::to_string(&record).unwrap_or_default();
        keys.put(&format!("health:instance:{}", record.instance_id), &json, LIFE, Put::Always).await?;
        keys.add_member("health:instances", &record.instance_id, LIFE).await?;
    }
    Ok(())
}

fn p99(mut took: Vec<Duration>) -> Duration {
    took.sort();
    let rank = (took.len() * 99).div_ceil(100).saturating_sub(1);
    took.get(rank).copied().unwrap_or_default()
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}

fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000_000.0
}
