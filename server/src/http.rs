//! The router and what every request passes: origin, limits, headers.

mod admin;
pub mod answer;
mod auth;
pub mod body;
mod broadcast;
mod endpoints;
mod events;
mod guard;
mod headers;
mod health;
mod origin;
mod pages;
mod serve;
mod sockets;
mod status;
mod todos;
pub mod visitor;

use std::{net::SocketAddr, sync::Arc, time::Instant};

use app::ports::Ports;
use axum::{Router, extract::FromRef, middleware};
use http::StatusCode;
use leptos::config::LeptosOptions;
use wire::Code;

use crate::{config::LimitsConfig, endpoint::Endpoints, hub::Hub, relay::Relay, session::Door, store::Store};
use answer::ApiError;
use guard::Guard;

pub use serve::serve;

/// The address a request came from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// What handlers need, cheap to clone.
#[derive(Clone)]
pub struct Site {
    /// For pages, server functions and the routes that do the same.
    pub ports: Ports,
    /// For publishing.
    pub hub: Hub,
    /// For sockets.
    pub relay: Relay,
    /// For the other WebSocket endpoints.
    pub endpoints: Endpoints,
    /// For health.
    pub store: Arc<Store>,
    /// For knowing who is there.
    pub door: Door,
    /// Whether each backend is one the operator set up.
    pub backends: Backends,
    /// Where the site's files are and what they are called.
    pub leptos: LeptosOptions,
    /// When the instance started.
    pub started_at: Instant,
}

/// Which backends were set up: only those can be down.
#[derive(Clone, Copy, Debug)]
pub struct Backends {
    /// Redis, and how.
    pub redis: crate::config::RedisMode,
    /// `dev` or `prod`.
    pub mode: crate::config::Mode,
}

impl FromRef<Site> for LeptosOptions {
    fn from_ref(site: &Site) -> Self {
        site.leptos.clone()
    }
}

/// Everything an instance answers.
pub fn router(site: Site, limits: &LimitsConfig) -> Router {
    let api = Router::new()
        .merge(admin::routes())
        .merge(auth::routes())
        .merge(broadcast::routes())
        .merge(endpoints::routes())
        .merge(events::routes())
        .merge(health::routes())
        .with_state(site.clone())
        .merge(todos::routes().with_state(site.ports.clone()))
        .method_not_allowed_fallback(method_not_allowed);
    let guard = Arc::new(Guard::new(limits));
    let door = site.door.clone();
    let routes = Router::new()
        .merge(api)
        .route("/api/{*path}", axum::routing::any(unknown_route))
        .route_layer(middleware::from_fn(answer::finish))
        .merge(sockets::routes().with_state(site.clone()))
        .merge(pages::routes(site));
    door.guard(routes)
        .layer(middleware::from_fn_with_state(guard, guard::limit))
        .layer(middleware::from_fn(origin::require_same_origin))
        .layer(middleware::from_fn(headers::add))
}

async fn unknown_route() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, Code::NotFound, "there is no such route")
}

async fn method_not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed, "the route does not take this method")
}
