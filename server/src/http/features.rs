//! Feature flags: everybody may ask, administrators may switch.

use axum::{
    Router,
    extract::{Path, State},
    routing::get,
};
use serde_json::{Value, json};
use wire::Code;

use super::{
    Site,
    answer::{Answer, ApiError, Outcome},
    body::JsonBody,
    visitor::Admin,
};
use crate::{config_cache::feature_name, store::NameError};

pub(super) fn routes() -> Router<Site> {
    Router::new().route("/api/1/features/{name}", get(read).put(write))
}

/// One that nobody ever set is switched off.
async fn read(State(site): State<Site>, Path(name): Path<String>) -> Outcome {
    feature_name(&name).ok_or(NameError::Key)?;
    Ok(Answer::fields(json!({ "enabled": site.config_cache.is_enabled(&name).await })))
}

async fn write(_: Admin, State(site): State<Site>, Path(name): Path<String>, JsonBody(body): JsonBody) -> Outcome {
    let document = feature_name(&name).ok_or(NameError::Key)?;
    let Some(enabled) = body.get("enabled").and_then(Value::as_bool) else {
        return Err(ApiError::bad_request(Code::ValidationError, "`enabled` is true or false."));
    };
    let metadata = body.get("metadata").cloned().unwrap_or_else(|| json!({}));
    site.config_cache.put(&document, json!({ "enabled": enabled, "metadata": metadata }), None).await?;
    Ok(Answer::fields(json!({ "enabled": enabled })))
}
