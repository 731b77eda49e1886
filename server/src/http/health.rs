//! Whether this instance and what it stands on are well.

use std::time::Duration;

use axum::{Router, extract::State, routing::get};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    Site,
    answer::{Answer, ApiError},
    status::{memory, uptime_seconds},
};
use crate::{
    clock,
    config::RedisMode,
    hub::{Link, OutageCause},
    metrics::report,
};

/// How long a backend may take to say that it is there.
const PING_WITHIN: Duration = Duration::from_secs(2);

/// Where this instance says whether it is well.
pub(super) const PATH: &str = "/health";

pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route(PATH, get(health))
        .route("/api/1/health", get(instances))
        .route("/api/1/health/status", get(version))
}

async fn health(State(site): State<Site>) -> Result<Answer, ApiError> {
    let redis = redis(&site);
    let mongodb = mongodb(&site).await;
    let is_well = redis["ok"] == true && mongodb["ok"] == true;
    let answer = Answer::fields(json!({
        "redis": redis,
        "mongodb": mongodb,
        "instance": {
            "id": site.hub.instance_id(),
            "uptime": uptime_seconds(&site),
            "memory": memory(),
        },
    }));
    Ok(if is_well { answer } else { answer.status(StatusCode::SERVICE_UNAVAILABLE) })
}

fn redis(site: &Site) -> Value {
    match (site.backends.redis, *site.hub.link().borrow()) {
        (RedisMode::None, _) => json!({ "ok": true, "mode": "local" }),
        (mode, Link::Up) => json!({ "ok": true, "mode": mode.as_str() }),
        (mode, link) => {
            let cause = site.hub.outage(link).unwrap_or(OutageCause::Unreachable);
            json!({ "ok": false, "mode": mode.as_str(), "error": cause.sentence(), "cause": cause })
        }
    }
}

async fn mongodb(site: &Site) -> Value {
    let mode = site.store.mode();
    match timeout(PING_WITHIN, site.store.ping()).await {
        Ok(Ok(())) => json!({ "ok": true, "mode": mode }),
        // Why is for the log: the answer is public.
        Ok(Err(_)) | Err(_) => json!({ "ok": false, "mode": mode, "error": "the store does not answer" }),
    }
}

/// What all instances report, as far as everybody may know it.
async fn instances(State(site): State<Site>) -> Answer {
    let instances = report::public(&site.metrics.instances().await);
    let is_well = instances.iter().all(|instance| instance["status"] != "errored");
    let status = if is_well { "healthy" } else { "degraded" };
    let health = json!({ "status": status, "instances": instances, "timestamp": clock::now() });
    // At the top for whoever knew it before answers had an envelope.
    Answer::fields(json!({ "data": health, "status": status, "instances": health["instances"] }))
}

async fn version(State(site): State<Site>) -> Answer {
    Answer::data(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "release": option_env!("JPULSE_RELEASE").unwrap_or(env!("CARGO_PKG_VERSION")),
        "uptime": uptime_seconds(&site),
        "environment": site.backends.mode.as_str(),
        "database": { "mode": site.store.mode() },
        "timestamp": clock::now(),
    }))
}
