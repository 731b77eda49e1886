//! Counts every request by its route and status, and keeps what went wrong.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};

use super::{acting::ActingUser, answer::Told};
use crate::metrics::{ErrorContext, Metrics};

/// What stands for everything that no route matched: files, and addresses that are none.
const FALLBACK: &str = "/{*file}";

pub(super) async fn count(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let _under_way = metrics.begin_request();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let response = next.run(request).await;
    let route = matched.as_ref().map_or(FALLBACK, MatchedPath::as_str);
    let status = response.status();
    metrics.count_request(route, status.as_u16(), began.elapsed());
    // An instance that says it is not well has not failed to say so.
    if status.is_server_error() && route != super::health::PATH {
        let told = response.extensions().get::<Told>();
        let message = told.map_or_else(|| status.to_string(), |told| told.error.clone());
        let context = ErrorContext {
            url: route.to_owned(),
            method: method.to_string(),
            status: status.as_u16(),
            code: told.map(|told| told.code.to_string()),
            user_id: response.extensions().get::<ActingUser>().map(|user| user.0.clone()),
        };
        metrics.track_error_at(message, told.map(Told::stack), context);
    }
    response
}
