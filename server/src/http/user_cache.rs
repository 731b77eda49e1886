//! Small values of a user, for scripts: `jPulse.appCluster.cache`.

use std::time::Duration;

use axum::{
    Router,
    extract::{Path, State},
    routing::get,
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use wire::Code;

use super::{
    Site,
    answer::{Answer, ApiError, Outcome},
    body::JsonText,
    visitor::SignedIn,
};
use crate::user_cache::{LIFE, Unreachable, VALUE_BYTES, ValueName};

/// Bytes of a body at most: a value that is too large is refused for what it is.
const BODY_BYTES: usize = 2 * VALUE_BYTES;

pub(super) fn routes() -> Router<Site> {
    Router::new().route("/api/1/app-cluster/cache/{category}/{key}", get(read).post(write).delete(remove))
}

/// `ttl` in seconds; 0, or nothing said, is as long as there is.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
    #[serde(default)]
    ttl: Option<u64>,
}

/// The value as it was written, or `null`.
async fn read(SignedIn(user): SignedIn, State(site): State<Site>, Path(name): Path<(String, String)>) -> Outcome {
    let found = site.user_cache.get(&user.id, &value_name(&name)?).await?;
    Ok(Answer::raw_data(found.and_then(|json| RawValue::from_string(json).ok())))
}

async fn write(
    SignedIn(user): SignedIn,
    State(site): State<Site>,
    Path(name): Path<(String, String)>,
    JsonText(body): JsonText<BODY_BYTES>,
) -> Outcome {
    let name = value_name(&name)?;
    let wrong = |error: serde_json::Error| match error.classify() {
        serde_json::error::Category::Data => {
            let error = "A value to keep needs `value`, and `ttl` is a whole number of seconds.";
            ApiError::bad_request(Code::ValidationError, error)
        }
        _ => ApiError::bad_request(Code::InvalidJson, format!("The body is not JSON: {error}.")),
    };
    let Body { value, ttl } = serde_json::from_slice(&body).map_err(wrong)?;
    if value.get().len() > VALUE_BYTES {
        let error = format!("A value has at most {VALUE_BYTES} bytes as JSON.");
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, Code::PayloadTooLarge, error));
    }
    let life = ttl.filter(|seconds| *seconds > 0).map_or(LIFE, Duration::from_secs);
    site.user_cache.put(&user.id, &name, value.get(), life).await?;
    Ok(Answer::data(json!({ "success": true })).message("The value is kept"))
}

/// `data.success` says whether there was one.
async fn remove(SignedIn(user): SignedIn, State(site): State<Site>, Path(name): Path<(String, String)>) -> Outcome {
    let was_there = site.user_cache.remove(&user.id, &value_name(&name)?).await?;
    Ok(Answer::data(json!({ "success": was_there })))
}

fn value_name((category, key): &(String, String)) -> Result<ValueName, ApiError> {
    let error = "A category and a key have 1 to 100 bytes each, without control characters.";
    ValueName::parse(category, key).ok_or_else(|| ApiError::bad_request(Code::ValidationError, error))
}

impl From<Unreachable> for ApiError {
    fn from(error: Unreachable) -> Self {
        tracing::warn!(cause = ?error, "a value of a user is not read or written");
        let text = "The cache cannot be reached just now; please try again in a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::StoreUnavailable, text)
    }
}
