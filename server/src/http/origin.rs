//! Pages of other sites may not act in a visitor's name.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, StatusCode, header};
use wire::Code;

use super::answer::ApiError;

/// Refuses what would change something when it comes from a page of another origin. Programs send
/// no `Origin` and are let through: they act in nobody's name.
pub(super) async fn require_same_origin(request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_same_origin(request.headers()) {
        return next.run(request).await;
    }
    refusal().at(request.uri().path())
}

/// What a foreign page is answered.
pub(super) fn refusal() -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, Code::ForbiddenOrigin, "requests from pages of other sites are not taken")
}

/// Whether the page that asks, if a page asks, is one of this site: same host and port, to the letter.
pub(super) fn is_same_origin(headers: &HeaderMap) -> bool {
    match headers.get(header::ORIGIN) {
        Some(origin) => {
            let authority = origin
                .to_str()
                .ok()
                .and_then(|origin| origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")));
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
            authority.is_some_and(|authority| host.is_some_and(|host| authority.eq_ignore_ascii_case(host)))
        }
        None => headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none"),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::is_same_origin;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_the_same_host_and_port_are_the_same_origin() {
        let host = ("host", "site.example:8080");
        assert!(is_same_origin(&headers(&[host])));
        assert!(is_same_origin(&headers(&[host, ("origin", "http://site.example:8080")])));
        for foreign in [
            "null",
            "http://site.example",
            "http://site.example:8081",
            "http://site.example:8080.evil.example",
            "http://evil.example",
            "file://site.example:8080",
        ] {
            assert!(!is_same_origin(&headers(&[host, ("origin", foreign)])), "{foreign}");
        }
        assert!(!is_same_origin(&headers(&[host, ("sec-fetch-site", "cross-site")])));
    }
}
