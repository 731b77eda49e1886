//! What all instances measure, for administrators, and what this one does, for Prometheus.

use axum::{
    Extension, Router,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use wire::Code;

use super::{
    Peer, Site,
    answer::{Answer, ApiError, Outcome},
    visitor::Admin,
};
use crate::{clock::now_milliseconds, metrics::report};

/// What a proxy adds: whoever comes through one is not on this host.
const FORWARDED: [HeaderName; 2] = [HeaderName::from_static("x-forwarded-for"), header::FORWARDED];
/// Minutes of requests when nobody says how many, and at most.
const MINUTES: (usize, usize) = (5, 60);
/// Errors when nobody says how many, and at most.
const ERRORS: (usize, usize) = (10, 100);

pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/metrics", get(prometheus))
        .route("/api/1/metrics", get(cluster))
        .route("/api/1/health/metrics", get(cluster))
        .route("/api/1/metrics/servers", get(servers))
        .route("/api/1/metrics/requests", get(requests))
        .route("/api/1/metrics/errors/recent", get(errors))
}

async fn cluster(_: Admin, State(site): State<Site>) -> Answer {
    Answer::data(report::cluster(&site.metrics.instances().await, now_milliseconds()))
}

async fn servers(_: Admin, State(site): State<Site>) -> Answer {
    Answer::data(json!({ "servers": report::servers(&site.metrics.instances().await) }))
}

#[derive(Deserialize)]
struct Minutes {
    minutes: Option<String>,
}

async fn requests(_: Admin, State(site): State<Site>, query: Result<Query<Minutes>, QueryRejection>) -> Outcome {
    let minutes = number("minutes", query.ok().and_then(|Query(query)| query.minutes), MINUTES)?;
    Ok(Answer::data(report::requests(&site.metrics.requests(minutes).await, minutes)))
}

#[derive(Deserialize)]
struct Count {
    count: Option<String>,
}

async fn errors(_: Admin, State(site): State<Site>, query: Result<Query<Count>, QueryRejection>) -> Outcome {
    let count = number("count", query.ok().and_then(|Query(query)| query.count), ERRORS)?;
    Ok(Answer::data(json!({ "errors": site.metrics.errors(count).await })))
}

/// A whole number of the query, from 1 up; more than the most gives the most.
fn number(name: &str, text: Option<String>, (usual, most): (usize, usize)) -> Result<usize, ApiError> {
    match text.as_deref().map(str::parse::<usize>) {
        None => Ok(usual),
        Some(Ok(number @ 1..)) => Ok(number.min(most)),
        Some(_) => {
            let error = format!("`{name}` is a whole number from 1 to {most}.");
            Err(ApiError::bad_request(Code::ValidationError, error))
        }
    }
}

/// For whoever is on this host, or has the token.
async fn prometheus(State(site): State<Site>, Extension(Peer(peer)): Extension<Peer>, headers: HeaderMap) -> Response {
    let is_here = peer.ip().to_canonical().is_loopback() && !FORWARDED.iter().any(|name| headers.contains_key(name));
    if !is_here && !has_token(&headers, &site.metrics_token) {
        let error = "This is for this host, or with the token of `metrics.token`.";
        return ApiError::new(StatusCode::UNAUTHORIZED, Code::AuthenticationRequired, error).at("/metrics");
    }
    let text = site.metrics.prometheus(site.config_cache.reads());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let Some(given) = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
    else {
        return false;
    };
    // As long for one wrong character as for another.
    !token.is_empty()
        && given.len() == token.len()
        && given.iter().zip(token.bytes()).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_lets_in() {
        let with = |value: &str| HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        assert!(has_token(&with("Bearer a-token"), "a-token"));
        for wrong in ["Bearer a-toke", "Bearer a-tokem", "Bearer ", "Basic a-token", "a-token"] {
            assert!(!has_token(&with(wrong), "a-token"), "{wrong}");
        }
        assert!(!has_token(&with("Bearer "), ""));
        assert!(!has_token(&HeaderMap::new(), ""));
    }
}
