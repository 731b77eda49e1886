//! What browsers send: JSON bodies, and the id of their tab.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{FromRequest, Request},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use wire::{Code, limits::UUID_BYTES};

use super::answer::ApiError;

/// Bytes of a JSON body at most.
pub const JSON_BYTES: usize = 64 * 1024;
/// Bytes of a body that is too large which are read and thrown away, so that its sender, busy
/// sending, gets to read why; a longer one is cut off.
const DISCARDED_BYTES: usize = 1024 * 1024;
/// How long a body may take: whoever is slower holds a connection for nothing.
const SENT_WITHIN: Duration = Duration::from_secs(30);
/// Where the original client puts the id of its tab, beside the body.
const UUID_HEADER: HeaderName = HeaderName::from_static("x-jpulse-uuid");

/// A JSON body of up to [`JSON_BYTES`], or as many as the route says; `null` when there is none.
///
/// Refuses with 413 `PAYLOAD_TOO_LARGE` or 400 `INVALID_JSON`, whatever the content type.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonBody<const BYTES: usize = JSON_BYTES>(pub Value);

/// A body of up to so many bytes, for a route that keeps JSON as it was written. Refuses as [`JsonBody`] does what is
/// too large.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonText<const BYTES: usize>(pub Bytes);

impl<S: Sync, const BYTES: usize> FromRequest<S> for JsonText<BYTES> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (head, body) = request.into_parts();
        read(&head.headers, body, BYTES).await.map(Self)
    }
}

impl<S: Sync, const BYTES: usize> FromRequest<S> for JsonBody<BYTES> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (head, body) = request.into_parts();
        let bytes = read(&head.headers, body, BYTES).await?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self(Value::Null));
        }
        // serde's text tells line and column, nothing of ours.
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| ApiError::bad_request(Code::InvalidJson, format!("The body is not JSON: {error}.")))
    }
}

/// Middleware for routes that read bodies by themselves, without a limit and for as long as they come:
/// hands them a body that is there as a whole and has at most so many bytes, or refuses as [`JsonBody`] does.
pub async fn whole(most: usize, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    match read(&head.headers, body, most).await {
        Ok(bytes) => next.run(Request::from_parts(head, bytes.into())).await,
        Err(refused) => refused.at(head.uri.path()),
    }
}

/// The tab that sends a request: `uuid` in the body, else the header `X-JPulse-Uuid`. One that no tab
/// could have counts as none.
pub fn publisher_uuid(body: &Value, headers: &HeaderMap) -> Option<Arc<str>> {
    let in_body = body.get("uuid").and_then(Value::as_str).and_then(valid_uuid);
    in_body.or_else(|| headers.get(UUID_HEADER)?.to_str().ok().and_then(valid_uuid))
}

/// An id that a tab could have: 1 to 64 of `A–Z a–z 0–9 _ . : -`.
pub fn valid_uuid(text: &str) -> Option<Arc<str>> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    ((1..=UUID_BYTES).contains(&text.len()) && text.bytes().all(is_allowed)).then(|| text.into())
}

/// Reads a body, unless it is known from the start to be unbearable.
async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, ApiError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: u64| bytes > DISCARDED_BYTES as u64) {
        return Err(too_large(most));
    }
    tokio::time::timeout(SENT_WITHIN, read_to_end(body, most)).await.unwrap_or_else(|_| Err(too_slow()))
}

/// Reads a body to its end, even when it turns out too large, as far as that is bearable.
async fn read_to_end(mut body: Body, most: usize) -> Result<Bytes, ApiError> {
    let mut kept = Vec::new();
    let mut sent = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(ApiError::bad_request(Code::InvalidJson, "The body broke off."));
        };
        let Ok(bytes) = frame.into_data() else { continue };
        sent += bytes.len();
        if sent <= most {
            kept.extend_from_slice(&bytes);
        } else if sent > DISCARDED_BYTES {
            break;
        }
    }
    if sent > most { Err(too_large(most)) } else { Ok(kept.into()) }
}

fn too_large(most: usize) -> ApiError {
    let text = format!("A body has at most {most} bytes.");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, Code::PayloadTooLarge, text)
}

fn too_slow() -> ApiError {
    let text = format!("The body did not arrive within {} s.", SENT_WITHIN.as_secs());
    ApiError::new(StatusCode::REQUEST_TIMEOUT, Code::InvalidJson, text)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    async fn parse(body: impl Into<Body>) -> Result<Value, String> {
        let read = <JsonBody>::from_request(Request::new(body.into()), &()).await;
        read.map(|body| body.0).map_err(|error| format!("{error:?}"))
    }

    #[tokio::test]
    async fn a_body_is_json_or_nothing() {
        assert_eq!(parse(r#"{"text":"tea"}"#).await, Ok(json!({ "text": "tea" })));
        assert_eq!(parse("").await, Ok(Value::Null));
        for malformed in ["{", "{\"a\":1}}", "text=tea", "\u{feff}{}", &"[".repeat(10_000)] {
            assert!(parse(malformed.to_owned()).await.unwrap_err().contains("InvalidJson"), "{malformed:.20}");
        }
    }

    #[tokio::test]
    async fn a_body_of_64_kib_is_the_largest() {
        let largest = format!("\"{}\"", "x".repeat(JSON_BYTES - 2));
        assert!(parse(largest.clone()).await.is_ok());
        assert!(parse(largest + " ").await.unwrap_err().contains("PayloadTooLarge"));
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_is_measured_while_it_comes() {
        let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'1'; 4096]));
        assert!(parse(Body::from_stream(endless)).await.unwrap_err().contains("PayloadTooLarge"));
    }

    #[test]
    fn the_body_names_the_tab_before_the_header_does() {
        let mut headers = HeaderMap::new();
        assert_eq!(publisher_uuid(&Value::Null, &headers), None);
        headers.insert(UUID_HEADER, HeaderValue::from_static("from-header"));
        assert_eq!(publisher_uuid(&Value::Null, &headers).as_deref(), Some("from-header"));
        assert_eq!(publisher_uuid(&json!({ "uuid": "a:B_9.-" }), &headers).as_deref(), Some("a:B_9.-"));
        for wrong in [json!(7), json!(""), json!("a b"), json!("ü"), json!("x".repeat(65))] {
            assert_eq!(publisher_uuid(&json!({ "uuid": wrong }), &headers).as_deref(), Some("from-header"));
        }
    }
}
