//! Configuration, for administrators: behind it are memory, Redis and the store.

use axum::{
    Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::Code;

use super::{
    Site,
    answer::{Answer, ApiError, Outcome},
    body::JsonBody,
    visitor::Admin,
};
use crate::{
    clock::rfc3339,
    config_cache::DEFAULT_COLLECTION,
    store::{ConfigDocument, ConfigName, NameError, WriteError},
};

/// Bytes of a value at most, as JSON.
const VALUE_BYTES: usize = 64 * 1024;
/// Bytes of a body at most: a value that is too large is refused for what it is.
const BODY_BYTES: usize = 512 * 1024;

pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/api/1/config/{key}", get(read).put(write).delete(remove))
        .route("/api/1/config/", get(no_key).put(no_key).delete(no_key))
        .route("/api/1/cache/refresh", post(refresh))
}

#[derive(Deserialize)]
struct Collection {
    collection: Option<String>,
}

impl Collection {
    fn name(&self, key: &str) -> Result<ConfigName, ApiError> {
        Ok(ConfigName::parse(self.collection.as_deref().unwrap_or(DEFAULT_COLLECTION), key)?)
    }
}

async fn read(
    _: Admin,
    State(site): State<Site>,
    Path(key): Path<String>,
    Query(collection): Query<Collection>,
) -> Result<Response, ApiError> {
    let name = collection.name(&key)?;
    let Some(document) = site.config_cache.get(&name).await? else {
        return Err(ApiError::new(StatusCode::NOT_FOUND, Code::NotFound, "There is no such configuration."));
    };
    Ok(shown(&name, &document))
}

/// With `If-Match`, only when the document has that version: 409 tells the one it has. `0` is the version of
/// what is not there.
async fn write(
    _: Admin,
    State(site): State<Site>,
    Path(key): Path<String>,
    Query(collection): Query<Collection>,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody<BODY_BYTES>,
) -> Result<Response, ApiError> {
    let name = collection.name(&key)?;
    let value = body.get_mut("value").map(Value::take).filter(|value| !value.is_null());
    let Some(value) = value else {
        let error = "A configuration needs a `value` that is not null; DELETE removes it.";
        return Err(ApiError::bad_request(Code::ValidationError, error));
    };
    if value.to_string().len() > VALUE_BYTES {
        let error = format!("A value has at most {VALUE_BYTES} bytes as JSON.");
        return Err(ApiError::bad_request(Code::ValidationError, error));
    }
    let document = site.config_cache.put(&name, value, expected(&headers)?).await?;
    Ok(shown(&name, &document))
}

async fn remove(
    _: Admin,
    State(site): State<Site>,
    Path(key): Path<String>,
    Query(collection): Query<Collection>,
) -> Outcome {
    let name = collection.name(&key)?;
    if !site.config_cache.remove(&name).await? {
        return Err(ApiError::new(StatusCode::NOT_FOUND, Code::NotFound, "There is no such configuration."));
    }
    Ok(Answer::done().message("Removed"))
}

async fn no_key(_: Admin) -> ApiError {
    NameError::Key.into()
}

async fn refresh(_: Admin, State(site): State<Site>) -> Outcome {
    site.config_cache.refresh().await.map_err(|error| {
        tracing::warn!(%error, "a refresh was not told");
        ApiError::internal()
    })?;
    Ok(Answer::data(json!({ "instanceId": site.hub.instance_id() }))
        .message("Every instance reads its configuration anew"))
}

/// The version of an `If-Match`, with quotes or without.
fn expected(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim().trim_matches('"');
    text.parse().map(Some).map_err(|_| {
        ApiError::bad_request(
            Code::ValidationError,
            "`If-Match` holds the version that is to be changed, a whole number.",
        )
    })
}

fn shown(name: &ConfigName, document: &ConfigDocument) -> Response {
    let answer = Answer::data(json!({
        "collection": name.collection(),
        "key": document.key,
        "value": document.value,
        "updatedAt": rfc3339(document.updated_at),
        "version": document.version,
    }));
    let mut response = answer.into_response();
    if let Ok(version) = HeaderValue::try_from(format!("\"{}\"", document.version)) {
        response.headers_mut().insert(header::ETAG, version);
    }
    response
}

impl From<NameError> for ApiError {
    fn from(error: NameError) -> Self {
        Self::bad_request(Code::ValidationError, error.to_string())
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Conflict(version) => {
                let error = "Somebody else changed it meanwhile; nothing was written.";
                Self::new(StatusCode::CONFLICT, Code::VersionConflict, error).details(json!({ "version": version }))
            }
            WriteError::Store(error) => error.into(),
        }
    }
}
