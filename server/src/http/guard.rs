//! How much one address, and one user, may change in a while.

use app::ports::CurrentVisitor;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use super::{Peer, answer::ApiError, network};
use crate::{
    config::LimitsConfig,
    throttle::{Exhausted, Quota, Scope, Throttle},
};

/// A token for every request that may change something. Reading is free.
#[derive(Clone)]
pub(super) struct Guard {
    throttle: Throttle,
    quota: Quota,
}

impl Guard {
    pub(super) fn new(throttle: Throttle, limits: &LimitsConfig) -> Self {
        Self { throttle, quota: Quota::per_second(limits.requests_per_second) }
    }
}

/// Answers 429 to an address that changes too much.
pub(super) async fn limit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let Some(Peer(peer)) = request.extensions().get::<Peer>().copied() else { return next.run(request).await };
    let key = network(peer.ip()).to_string();
    match guard.throttle.take(Scope::Address, &key, guard.quota).await {
        Ok(()) => next.run(request).await,
        Err(exhausted) => ApiError::from(exhausted).at(request.uri().path()),
    }
}

/// The same for whoever is signed in, from however many addresses. Stands behind the door.
pub(super) async fn limit_user(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let visitor = request.extensions().get::<CurrentVisitor>().cloned();
    let user = match visitor {
        Some(CurrentVisitor(visitor)) => visitor.user().await,
        None => None,
    };
    let Some(user) = user else { return next.run(request).await };
    match guard.throttle.take(Scope::User, &user.id, guard.quota).await {
        Ok(()) => next.run(request).await,
        Err(exhausted) => ApiError::from(exhausted).at(request.uri().path()),
    }
}

impl From<Exhausted> for ApiError {
    fn from(exhausted: Exhausted) -> Self {
        Self::rate_limited(exhausted.wait)
    }
}
