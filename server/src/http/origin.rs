//! Pages of other sites may not act in a visitor's name.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{Extensions, HeaderMap, StatusCode, header};
use wire::Code;

use super::{Entry, Scheme, answer::ApiError};

/// Refuses what would change something when it comes from a page of another origin. Programs send
/// no `Origin` and are let through: they act in nobody's name.
pub(super) async fn require_same_origin(request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_same_origin(request.headers(), request.extensions()) {
        return next.run(request).await;
    }
    refusal().at(request.uri().path())
}

/// What a foreign page is answered.
pub(super) fn refusal() -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, Code::ForbiddenOrigin, "requests from pages of other sites are not taken")
}

/// Whether the page that asks, if a page asks, is one of this site: same scheme, host and port, to the
/// letter.
///
/// A browser that tells where its page stands to ours (`Sec-Fetch-Site`, which no page can forge) is
/// believed when it warns, and believed in one thing only when it does not: that the scheme is `https`,
/// which a proxy we were not told of may hide from us.
pub(super) fn is_same_origin(headers: &HeaderMap, extensions: &Extensions) -> bool {
    let site = headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes);
    if !matches!(site, None | Some(b"same-origin" | b"none")) {
        return false;
    }
    let mut origins = headers.get_all(header::ORIGIN).into_iter();
    let Some(origin) = origins.next() else { return true };
    let (Ok(origin), None) = (origin.to_str(), origins.next()) else { return false };
    let entry = extensions.get::<Entry>().cloned().unwrap_or_default();
    if !entry.origins.is_empty() {
        return entry.origins.iter().any(|own| own == origin);
    }
    let (scheme, authority) = if let Some(authority) = origin.strip_prefix("https://") {
        (Scheme::Https, authority)
    } else if let Some(authority) = origin.strip_prefix("http://") {
        (Scheme::Http, authority)
    } else {
        return false;
    };
    let is_scheme = scheme == entry.scheme || (scheme == Scheme::Https && site.is_some());
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    is_scheme && !host.is_empty() && authority.eq_ignore_ascii_case(without_usual_port(host, scheme))
}

/// The host as it stands in an origin: a proxy may name the port that browsers leave out.
fn without_usual_port(host: &str, scheme: Scheme) -> &str {
    let usual = match scheme {
        Scheme::Http => ":80",
        Scheme::Https => ":443",
    };
    host.strip_suffix(usual).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::HeaderValue;

    use super::*;
    use crate::config::Origin;

    const HOST: (&str, &str) = ("host", "site.example:8080");

    fn is_let_in(entry: Entry, pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let mut extensions = Extensions::new();
        extensions.insert(entry);
        is_same_origin(&headers, &extensions)
    }

    fn plain(pairs: &[(&'static str, &'static str)]) -> bool {
        is_let_in(Entry::default(), pairs)
    }

    #[test]
    fn only_the_same_scheme_host_and_port_are_the_same_origin() {
        assert!(plain(&[HOST]));
        assert!(plain(&[HOST, ("origin", "http://site.example:8080")]));
        assert!(plain(&[HOST, ("origin", "http://site.example:8080"), ("sec-fetch-site", "same-origin")]));
        for foreign in [
            "null",
            "",
            "http://",
            "https://site.example:8080",
            "http://site.example",
            "http://site.example:8081",
            "http://site.example:8080.evil.example",
            "http://evil.example/http://site.example:8080",
            "http://site.example:8080@evil.example",
            "http://evilsite.example:8080",
            "http://sub.site.example:8080",
            "http://site.example:8080/",
            "http://evil.example",
            "file://site.example:8080",
        ] {
            assert!(!plain(&[HOST, ("origin", foreign)]), "{foreign}");
            assert!(!plain(&[("origin", foreign)]), "{foreign} without a host");
        }
        let own = ("origin", "http://site.example:8080");
        assert!(!plain(&[HOST, own, ("origin", "http://evil.example")]));
        assert!(!plain(&[HOST, own, own]));
    }

    #[test]
    fn a_browser_that_warns_is_believed() {
        for site in ["cross-site", "same-site", "nonsense", ""] {
            assert!(!plain(&[HOST, ("sec-fetch-site", site)]), "{site}");
            assert!(!plain(&[HOST, ("origin", "http://site.example:8080"), ("sec-fetch-site", site)]), "{site}");
        }
        assert!(!plain(&[HOST, ("origin", "http://evil.example"), ("sec-fetch-site", "same-origin")]));
    }

    #[test]
    fn behind_a_proxy_the_scheme_is_what_it_says_or_the_browser_vouches_for() {
        let behind = Entry { scheme: Scheme::Https, ..Entry::default() };
        let secure = ("origin", "https://site.example");
        for host in [("host", "site.example"), ("host", "site.example:443")] {
            assert!(is_let_in(behind.clone(), &[host, secure]));
            assert!(!is_let_in(behind.clone(), &[host, ("origin", "http://site.example")]));
            assert!(!plain(&[host, secure]));
            assert!(plain(&[host, secure, ("sec-fetch-site", "same-origin")]));
        }
    }

    #[test]
    fn a_site_that_knows_its_origins_believes_no_host() {
        let own: Arc<[Origin]> = [Origin::try_from("https://site.example".to_owned()).unwrap()].into();
        let entry = Entry { origins: own, ..Entry::default() };
        assert!(is_let_in(entry.clone(), &[HOST, ("origin", "https://site.example")]));
        assert!(!is_let_in(entry.clone(), &[HOST, ("origin", "http://site.example:8080")]));
        assert!(is_let_in(entry, &[HOST]));
    }
}
