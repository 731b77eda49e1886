//! Headers every answer carries.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue, header};

use super::{Entry, Scheme};
use crate::config::Mode;

/// Files under this path have their content's hash in their name and never change.
pub(super) const HASHED_FILES: &str = "/pkg/";

/// For HTML that brings no policy of its own: a file of the site owner's, which may have its scripts where
/// it wants them, for nobody else writes in it.
const PLAIN_PAGE_POLICY: HeaderValue =
    HeaderValue::from_static("object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'");
/// For data: should a browser ever take it for a page, nothing in it counts.
const DATA_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");

/// From now on only `https`, says a site that is visited so: for two years, as the preload lists want it.
const ONLY_HTTPS: HeaderValue = HeaderValue::from_static("max-age=63072000");

pub(super) const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()",
        ),
    ),
];

pub(super) async fn add(State(mode): State<Mode>, request: Request, next: Next) -> Response {
    let is_hashed_file = request.uri().path().starts_with(HASHED_FILES);
    let is_secure = request.extensions().get::<Entry>().is_some_and(|entry| entry.scheme == Scheme::Https);
    let mut response = next.run(request).await;
    let is_found = response.status().is_success();
    let headers = response.headers_mut();
    headers.extend(ALWAYS);
    if is_secure && mode == Mode::Prod {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ONLY_HTTPS);
    }
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let policy = match kind {
        kind if kind.starts_with(b"text/html") => Some(PLAIN_PAGE_POLICY),
        kind if kind.starts_with(b"application/json") => Some(DATA_POLICY),
        _ => None,
    };
    if let Some(policy) = policy
        && !headers.contains_key(header::CONTENT_SECURITY_POLICY)
    {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if is_hashed_file && is_found {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    } else if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    response
}
