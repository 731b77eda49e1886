//! Headers every answer carries.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderName, HeaderValue, header};

/// Files under this path have their content's hash in their name and never change.
const HASHED_FILES: &str = "/pkg/";

/// For HTML that brings no policy of its own: a site owner's plain page.
const PLAIN_PAGE_POLICY: HeaderValue =
    HeaderValue::from_static("object-src 'none'; base-uri 'self'; frame-ancestors 'self'");

const ALWAYS: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
];

pub(super) async fn add(request: Request, next: Next) -> Response {
    let is_hashed_file = request.uri().path().starts_with(HASHED_FILES);
    let mut response = next.run(request).await;
    let is_found = response.status().is_success();
    let headers = response.headers_mut();
    headers.extend(ALWAYS);
    let is_html = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_html && !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, PLAIN_PAGE_POLICY);
    }
    if is_hashed_file && is_found {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    } else if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    response
}
