//! Where browsers open their sockets.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::{Path, Query, Request, State},
    response::Response,
    routing::get,
};
use http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;
use wire::Code;

use super::{Peer, Site, answer::ApiError, body::valid_uuid, origin};
use crate::{
    relay::NoSeat,
    session::RequestVisitor,
    socket::{Refusal, Upgrade},
};

/// The relay's name among the endpoints.
const RELAY: &str = "jp-broadcast";
/// Over how long browsers that came at once are spread.
const RUSH_SPREAD_SECONDS: u64 = 5;

pub(super) fn routes() -> Router<Site> {
    Router::new().route("/api/1/ws/{name}", get(connect)).route("/ws/{name}", get(connect))
}

#[derive(Deserialize)]
struct Parameters {
    uuid: Option<String>,
}

async fn connect(
    State(site): State<Site>,
    Extension(Peer(peer)): Extension<Peer>,
    Extension(visitor): Extension<Arc<RequestVisitor>>,
    Path(name): Path<String>,
    Query(parameters): Query<Parameters>,
    mut request: Request,
) -> Response {
    let path = request.uri().path().to_owned();
    let refuse = |status, code, error: &str| ApiError::new(status, code, error).at(&path);
    if name != RELAY {
        return refuse(StatusCode::NOT_FOUND, Code::UnknownEndpoint, "there is no such endpoint");
    }
    if !origin::is_same_origin(request.headers()) {
        return origin::refusal().at(&path);
    }
    let upgrade = match Upgrade::of(&mut request) {
        Ok(upgrade) => upgrade,
        Err(Refusal::NotWebSocket | Refusal::Version) => {
            let error = "this address is for WebSockets (version 13)";
            let mut response = refuse(StatusCode::UPGRADE_REQUIRED, Code::InvalidMessage, error);
            response.headers_mut().extend([
                (http::header::UPGRADE, http::HeaderValue::from_static("websocket")),
                (http::header::SEC_WEBSOCKET_VERSION, http::HeaderValue::from_static("13")),
            ]);
            return response;
        }
    };
    let seat = match site.relay.seat(peer.ip()) {
        Ok(seat) => seat,
        Err(error) => return no_seat(error, peer).at(&path),
    };
    let uuid: Arc<str> =
        parameters.uuid.as_deref().and_then(valid_uuid).unwrap_or_else(|| Arc::from(Uuid::new_v4().to_string()));
    let owner = visitor.owner().await;
    let relay = site.relay.clone();
    upgrade.accept(move |stream| async move { relay.serve(stream, uuid, owner, seat).await })
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
