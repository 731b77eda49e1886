//! The router and what every request passes: origin, limits, headers.

mod acting;
mod admin;
pub mod answer;
mod auth;
pub mod body;
mod broadcast;
mod cart;
mod config;
mod dashboard;
mod endpoints;
mod entry;
mod events;
mod features;
mod guard;
mod headers;
mod health;
mod metrics;
mod origin;
mod pages;
mod serve;
mod shape;
mod sockets;
mod status;
mod texts;
mod todos;
mod track;
mod user_cache;
mod user_status;
pub mod visitor;

use std::{sync::Arc, time::Instant};

use app::ports::Ports;
use axum::{Router, extract::FromRef, middleware};
use http::StatusCode;
use leptos::config::LeptosOptions;
use wire::Code;

use crate::{
    config::Config, config_cache::ConfigCache, endpoint::Endpoints, hub::Hub, metrics::Metrics, relay::Relay,
    session::Door, store::Store, throttle::Throttle, user_cache::UserCache,
};
use answer::ApiError;
use entry::Gate;
use guard::Guard;

pub use entry::{Entry, Peer, Scheme, network};
pub use serve::{Slots, serve};

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
    /// For what this instance and all others measure.
    pub metrics: Metrics,
    /// For configuration.
    pub config_cache: ConfigCache,
    /// For what scripts keep for a user.
    pub user_cache: UserCache,
    /// Who may read this instance's metrics from elsewhere; empty: nobody.
    pub metrics_token: Arc<str>,
    /// For knowing who is there.
    pub door: Door,
    /// Whether each backend is one the operator set up.
    pub backends: Backends,
    /// Where the site's files are and what they are called.
    pub leptos: LeptosOptions,
    /// For routes that limit what one address, user or account may do.
    pub throttle: Throttle,
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
pub fn router(site: Site, config: &Config) -> Router {
    let api = Router::new()
        .merge(admin::routes())
        .merge(auth::routes())
        .merge(broadcast::routes())
        .merge(config::routes())
        .merge(endpoints::routes())
        .merge(events::routes())
        .merge(features::routes())
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(user_cache::routes())
        .with_state(site.clone())
        .merge(texts::routes().with_state(site.ports.clone()))
        .merge(todos::routes().merge(cart::routes()).with_state(site.ports.clone()))
        .merge(dashboard::routes().merge(user_status::routes()).with_state(site.ports.clone()))
        .method_not_allowed_fallback(method_not_allowed);
    let guard = Guard::new(site.throttle.clone(), &config.limits);
    let gate = Arc::new(Gate::new(&config.server));
    let mode = site.backends.mode;
    let door = site.door.clone();
    let counting = site.metrics.clone();
    let routes = Router::new()
        .merge(api)
        .merge(sockets::routes().with_state(site.clone()))
        .route("/api", axum::routing::any(unknown_route))
        .route("/api/", axum::routing::any(unknown_route))
        .route("/api/{*path}", axum::routing::any(unknown_route))
        .route_layer(middleware::from_fn(answer::finish))
        .merge(pages::routes(site))
        .layer(middleware::from_fn_with_state(guard.clone(), guard::limit_user))
        .layer(middleware::from_fn(acting::note));
    door.guard(routes)
        .layer(middleware::from_fn_with_state(guard, guard::limit))
        .layer(middleware::from_fn(origin::require_same_origin))
        .layer(middleware::from_fn(shape::refuse_malformed))
        .layer(middleware::from_fn_with_state(mode, headers::add))
        .layer(middleware::from_fn_with_state(gate, entry::note))
        .layer(middleware::from_fn_with_state(counting, track::count))
}

async fn unknown_route() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, Code::NotFound, "there is no such route")
}

async fn method_not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed, "the route does not take this method")
}
