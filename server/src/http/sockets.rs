//! Where browsers open their sockets.

use std::{borrow::Cow, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::{Query, Request, State},
    response::Response,
    routing::get,
};
use http::{HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use uuid::Uuid;
use wire::{Code, limits::FRAME_BYTES};

use super::{Peer, Site, answer::ApiError, body::valid_uuid, network, origin};
use crate::{
    endpoint::{Denied, Endpoint, PATH, RELAY, Refused, Visit},
    relay::NoSeat,
    session::RequestVisitor,
    socket::{Refusal, Upgrade},
};

/// The short form of [`PATH`].
const ALIAS: &str = "/ws/";
/// Over how long browsers that came at once are spread.
const RUSH_SPREAD_SECONDS: u64 = 5;

/// An endpoint may have parameters, whose values may be what stands in the addresses of other routes.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/api/1/ws/{endpoint}", get(connect))
        .route("/api/1/ws/{endpoint}/{parameter}", get(connect))
        .route("/api/1/ws/{endpoint}/{parameter}/{*rest}", get(connect))
        .route("/api/1/ws/{endpoint}/broadcast", get(connect))
        .route("/api/1/ws/{endpoint}/user/{userId}", get(connect))
        .route("/api/1/ws/{endpoint}/room/{roomId}", get(connect))
        .route("/ws", get(connect))
        .route("/ws/", get(connect))
        .route("/ws/{*path}", get(connect))
}

#[derive(Deserialize)]
struct Parameters {
    uuid: Option<String>,
}

/// What a path leads to.
enum Place {
    Relay,
    Endpoint(Arc<Endpoint>, Visit),
}

async fn connect(
    State(site): State<Site>,
    Extension(Peer(peer)): Extension<Peer>,
    Extension(visitor): Extension<Arc<RequestVisitor>>,
    Query(parameters): Query<Parameters>,
    mut request: Request,
) -> Response {
    let path = request.uri().path().to_owned();
    let Some((named, segments)) = place(&path) else { return malformed(&path) };
    let uuid: Arc<str> =
        parameters.uuid.as_deref().and_then(valid_uuid).unwrap_or_else(|| Arc::from(Uuid::new_v4().to_string()));
    let is_relay = segments == [RELAY];
    let found = if is_relay { None } else { site.endpoints.find(&segments) };
    if found.is_none() && !is_relay {
        return refusal(Refused::NotFound).at(&path);
    }
    if !origin::is_same_origin(request.headers(), request.extensions()) {
        return origin::refusal().at(&path);
    }
    let owner = visitor.owner().await;
    let place = match found {
        None => Place::Relay,
        Some((endpoint, parameters)) => {
            let visit = Visit { client_id: Arc::clone(&uuid), owner: owner.clone().map(Arc::new), parameters };
            match admit(&endpoint, &visit).await {
                Ok(()) => Place::Endpoint(endpoint, visit),
                Err(refused) => return refusal(refused).at(&path),
            }
        }
    };
    let upgrade = match Upgrade::of(&mut request) {
        Ok(upgrade) => upgrade,
        Err(Refusal::NotWebSocket | Refusal::Version) => return not_a_websocket(&path),
    };
    let seat = match site.relay.seat(network(peer.ip())) {
        Ok(seat) => seat,
        Err(error) => return no_seat(error, peer).at(&path),
    };
    match place {
        Place::Relay => {
            let relay = site.relay.clone();
            upgrade.accept(FRAME_BYTES, move |stream| async move { relay.serve(stream, uuid, owner, seat).await })
        }
        Place::Endpoint(endpoint, visit) => {
            let (endpoints, namespace) = (site.endpoints.clone(), format!("{PATH}{named}"));
            upgrade.accept(FRAME_BYTES, move |stream| async move {
                endpoints.serve(stream, endpoint, namespace, visit, seat).await;
            })
        }
    }
}

/// What an address names: as it is written there, and segment by segment as text. A slash within a segment is
/// written `%2F`. `None` when a segment is no text.
fn place(path: &str) -> Option<(&str, Vec<String>)> {
    let named = path.strip_prefix(PATH).or_else(|| path.strip_prefix(ALIAS)).unwrap_or_default();
    let text = |segment| percent_decode_str(segment).decode_utf8().ok().map(Cow::into_owned);
    Some((named, named.split('/').map(text).collect::<Option<_>>()?))
}

/// Asks the endpoint's rule, then its handler.
async fn admit(endpoint: &Endpoint, visit: &Visit) -> Result<(), Refused> {
    endpoint.rule().admit(visit.owner.as_deref().map(|owner| &*owner.roles)).map_err(|denied| match denied {
        Denied::SignInFirst => Refused::SignInFirst,
        Denied::Role => Refused::Forbidden("This endpoint is for others.".to_owned()),
    })?;
    endpoint.accept(visit).await
}

fn refusal(refused: Refused) -> ApiError {
    match refused {
        Refused::SignInFirst => {
            ApiError::new(StatusCode::UNAUTHORIZED, Code::AuthenticationRequired, "Please sign in first.")
        }
        Refused::Forbidden(error) => ApiError::new(StatusCode::FORBIDDEN, Code::Unauthorized, error),
        Refused::NotFound => ApiError::new(StatusCode::NOT_FOUND, Code::UnknownEndpoint, "there is no such endpoint"),
    }
}

fn malformed(path: &str) -> Response {
    ApiError::bad_request(Code::ValidationError, "a part of the address is no text").at(path)
}

fn not_a_websocket(path: &str) -> Response {
    let error = "this address is for WebSockets (version 13)";
    let mut response = ApiError::new(StatusCode::UPGRADE_REQUIRED, Code::InvalidMessage, error).at(path);
    response.headers_mut().extend([
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
    ]);
    response
}

/// The answer to a browser there is no place for.
pub(super) fn no_seat(error: NoSeat, peer: SocketAddr) -> ApiError {
    match error {
        NoSeat::Address => {
            let error = "too many sockets from this address";
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, Code::TooManyConnections, error)
        }
        NoSeat::Rush => {
            let error = "too many browsers come at once; come back in a moment";
            // By chance, as ports are given out: so that they do not come at once again.
            let pause = Duration::from_secs(1 + u64::from(peer.port()) % RUSH_SPREAD_SECONDS);
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, Code::TooManyConnections, error).retry_after(pause)
        }
    }
}
