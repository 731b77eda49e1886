//! The site: pages, server functions and files.

use app::{App, pages::REDIRECTS, ports::Ports, shell};
use axum::{Router, extract::RawQuery, middleware, response::Redirect, routing::get};
use http::{HeaderValue, header};
use leptos::{
    nonce::use_nonce,
    prelude::{provide_context, use_context},
};
use leptos_axum::{LeptosRoutes, ResponseOptions, file_and_error_handler_with_context, generate_route_list};

use super::{Site, body};

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
        .layer(middleware::from_fn(body::whole))
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
