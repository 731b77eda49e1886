//! The site: pages, server functions and files.

use app::{
    App,
    pages::REDIRECTS,
    ports::{KnownUser, Ports},
    shell,
};
use axum::{
    Router,
    extract::{FromRequestParts, RawQuery, Request},
    middleware::{self, Next},
    response::{Redirect, Response},
    routing::get,
};
use http::{HeaderValue, Uri, header};
use leptos::{
    nonce::use_nonce,
    prelude::{provide_context, use_context},
};
use leptos_axum::{LeptosRoutes, ResponseOptions, file_and_error_handler_with_context, generate_route_list};

use wire::text::TEXT_CHARS;

use super::{Site, body, headers::HASHED_FILES, texts::EDIT_BYTES, visitor::CurrentUser};

pub(super) fn routes(site: Site) -> Router {
    let context = {
        let ports = site.ports.clone();
        move || provide(&ports)
    };
    let document = {
        let options = site.leptos.clone();
        move || shell(options.clone())
    };
    let mut router = Router::new();
    for (from, to) in REDIRECTS {
        router = router.route(from, get(|query| async { moved(to, query) }));
    }
    router
        .leptos_routes_with_context(&site, generate_route_list(App), context.clone(), document)
        .fallback(file_and_error_handler_with_context::<Site, _>(context, shell))
        .with_state(site)
        .layer(middleware::from_fn(know_user))
        .layer(middleware::from_fn(lead_home))
        .layer(middleware::from_fn(bounded))
}

/// Reads what a page sends as a whole, up to what its form may hold.
async fn bounded(request: Request, next: Next) -> Response {
    let most = match request.uri().path() {
        // A shared text twice, as it was and as it is, each character as up to 12.
        "/fn/text-save" => 2 * 12 * TEXT_CHARS + body::JSON_BYTES,
        "/fn/text-edit" => EDIT_BYTES,
        _ => body::JSON_BYTES,
    };
    body::whole(most, request, next).await
}

/// Finds out who asks before a page begins: its head need not wait then. Files are the same for everybody.
async fn know_user(request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    if !parts.uri.path().starts_with(HASHED_FILES)
        && let Ok(CurrentUser(user)) = CurrentUser::from_request_parts(&mut parts, &()).await
    {
        parts.extensions.insert(KnownUser(user));
    }
    next.run(Request::from_parts(parts, body)).await
}

/// Sends a form back to this site only: Leptos answers one it cannot read with the address the form says
/// it comes from, whatever that is. A redirect to anywhere else is the doing of whoever wrote it.
async fn lead_home(request: Request, next: Next) -> Response {
    let referer = request.headers().get(header::REFERER).filter(|_| !request.method().is_safe()).cloned();
    let mut response = next.run(request).await;
    if let Some(referer) = referer
        && let Some(location) = response.headers().get(header::LOCATION)
        && let (Ok(referer), Ok(location)) = (referer.to_str(), location.to_str())
        && is_from(location, referer)
    {
        let home = own_part(location).unwrap_or(HeaderValue::from_static("/"));
        response.headers_mut().insert(header::LOCATION, home);
    }
    response
}

/// Whether an address was made of the one a form came from.
fn is_from(location: &str, referer: &str) -> bool {
    let page = referer.split(['?', '#']).next().unwrap_or_default();
    location.get(..page.len()).is_some_and(|start| start.eq_ignore_ascii_case(page))
}

/// The path and the query of an address; none when it could lead elsewhere without a host.
fn own_part(location: &str) -> Option<HeaderValue> {
    let location: Uri = location.parse().ok()?;
    let part = location.path_and_query()?.as_str();
    let is_path = part.starts_with('/') && !part.starts_with("//") && !part.starts_with("/\\");
    is_path.then(|| HeaderValue::try_from(part).ok())?
}

/// The page is at `to` now; what was asked of it there stays.
fn moved(to: &str, RawQuery(query): RawQuery) -> Redirect {
    match query {
        Some(query) => Redirect::permanent(&format!("{to}?{query}")),
        None => Redirect::permanent(to),
    }
}

/// What pages find in their context, and the policy their document is under.
fn provide(ports: &Ports) {
    provide_context(ports.clone());
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else { return };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; \
         frame-ancestors 'self'"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

#[cfg(test)]
mod tests {
    use super::{is_from, own_part};

    #[test]
    fn only_where_a_form_says_it_comes_from_is_looked_at() {
        let referer = "https://evil.example/form?a=b#c";
        assert!(is_from("https://evil.example/form?__err=x", referer));
        assert!(is_from("HTTPS://evil.example/form", referer));
        for written in ["https://idp.example/sign-in", "/done#there", "https://evil.example/", ""] {
            assert!(!is_from(written, referer), "{written}");
        }
    }

    #[test]
    fn a_redirect_keeps_its_path_and_nothing_else() {
        let part = |location| own_part(location).map(|part| part.to_str().unwrap().to_owned()).unwrap_or_default();
        assert_eq!(part("/hello-spa/todo?notice=added"), "/hello-spa/todo?notice=added");
        assert_eq!(part("http://site.example:8080/a?b=c"), "/a?b=c");
        assert_eq!(part("https://evil.example"), "/");
        for elsewhere in
            ["//evil.example", "https://evil.example//evil.example", "javascript:x()", "/\\evil.example", ""]
        {
            assert_eq!(part(elsewhere), "", "{elsewhere}");
        }
    }
}
