//! The relay for browsers whose network lets no WebSocket through: Server-Sent Events.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::{StreamExt, stream};
use http::{Extensions, HeaderMap, HeaderName, StatusCode, header};
use uuid::Uuid;
use wire::{Code, Layer, Pattern, limits::SUBSCRIPTIONS};

use super::{Peer, Site, answer::ApiError, body::valid_uuid, network, origin, sockets::no_seat};
use crate::{
    hub::Omit,
    relay::{Positions, StreamRequest},
    session::RequestVisitor,
    socket::Line,
};

/// What a browser that comes back by itself repeats: the id of the last event it saw.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Keeps nginx, and those who follow it, from holding events back.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Where it is.
pub(super) const PATH: &str = "/api/1/app-cluster/events";

pub(super) fn routes() -> Router<Site> {
    Router::new().route(PATH, get(connect))
}

async fn connect(
    State(site): State<Site>,
    Extension(Peer(peer)): Extension<Peer>,
    Extension(line): Extension<Line>,
    Extension(visitor): Extension<Arc<RequestVisitor>>,
    headers: HeaderMap,
    extensions: Extensions,
    parameters: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, ApiError> {
    if !origin::is_same_origin(&headers, &extensions) {
        return Err(origin::refusal());
    }
    let Query(parameters) =
        parameters.map_err(|error| ApiError::bad_request(Code::ValidationError, error.body_text()))?;
    let last_event_id = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let mut request = read(parameters, last_event_id)?;
    request.owner = visitor.owner().await.map(Arc::new);
    let seat = site.relay.seat(network(peer.ip())).map_err(|error| no_seat(error, peer))?;
    let mut chunks = site.relay.stream(request, seat, line);
    let body = stream::poll_fn(move |context| chunks.poll_recv(context)).map(Ok::<_, Infallible>);
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (BUFFERING, "no"),
        // The connection may have to be ended with the stream, and must have nothing else to do then.
        (header::CONNECTION, "close"),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// Reads what the address asks for: `channel` as often as wanted, a `since` for each in the same order
/// or none, `uuid`, `omitSelf`. The last event's id, where there is one, is newer than every `since`.
fn read(parameters: Vec<(String, String)>, last_event_id: Option<&str>) -> Result<StreamRequest, ApiError> {
    let mut channels = Vec::new();
    let mut since = Vec::new();
    let (mut uuid, mut omits_self) = (None, false);
    for (name, value) in parameters {
        match name.as_str() {
            "channel" => channels.push(pattern(&value)?),
            "since" => since.push(value),
            "uuid" => uuid = valid_uuid(&value),
            "omitSelf" => omits_self = matches!(value.as_str(), "" | "1" | "true"),
            _ => {}
        }
    }
    if channels.is_empty() {
        return Err(ApiError::bad_request(Code::InvalidChannelName, "`channel` names at least one channel"));
    }
    if channels.len() > SUBSCRIPTIONS {
        let error = format!("a stream holds at most {SUBSCRIPTIONS} subscriptions");
        return Err(ApiError::bad_request(Code::TooManySubscriptions, error));
    }
    let positions = Positions::parse(since.iter().map(String::as_str), channels.len()).ok_or_else(|| {
        let error = "`since` is a position, `epoch:offset`, or `-`; the first belongs to the first `channel`";
        ApiError::bad_request(Code::ValidationError, error)
    })?;
    let (patterns, positions) = positions.of_distinct(channels);
    let positions = match last_event_id {
        // An id of another address is no position: the browser is told that something may be missing.
        Some(id) if !id.is_empty() => {
            Positions::of_id(id, patterns.len()).unwrap_or_else(|| Positions::unknown(patterns.len()))
        }
        _ => positions,
    };
    let uuid = uuid.unwrap_or_else(|| Arc::from(Uuid::new_v4().to_string()));
    let omit = if omits_self { Omit::Publisher(Arc::clone(&uuid)) } else { Omit::Nothing };
    Ok(StreamRequest { patterns, positions, omit, uuid, owner: None })
}

fn pattern(text: &str) -> Result<Pattern, ApiError> {
    let pattern =
        Pattern::parse(text).map_err(|error| ApiError::bad_request(Code::InvalidChannelName, error.to_string()))?;
    if pattern.layer() == Layer::View {
        return Ok(pattern);
    }
    let error = "browsers use channels that begin with `view:`";
    Err(ApiError::new(StatusCode::FORBIDDEN, Code::ForbiddenChannel, error))
}

#[cfg(test)]
mod tests {
    use wire::Since;

    use super::*;

    fn asked(query: &[(&str, &str)], last_event_id: Option<&str>) -> Result<StreamRequest, String> {
        let parameters = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        read(parameters, last_event_id).map_err(|error| format!("{error:?}"))
    }

    fn after(epoch: &str, offset: u64) -> Since {
        Since::After(wire::Position { epoch: epoch.into(), offset })
    }

    const A: (&str, &str) = ("channel", "view:a:b:c");
    const B: (&str, &str) = ("channel", "view:b:*");

    #[test]
    fn positions_belong_to_channels_in_their_order() {
        let request = asked(&[A, ("since", "-"), B, A, ("since", "e:7"), ("uuid", "tab")], None).unwrap();
        assert_eq!(request.patterns.iter().map(Pattern::as_str).collect::<Vec<_>>(), [A.1, B.1]);
        assert_eq!((request.positions.since(0), request.positions.since(1)), (Since::Now, after("e", 7)));
        assert_eq!((&*request.uuid, request.omit), ("tab", Omit::Nothing));
    }

    #[test]
    fn the_last_event_is_newer_than_the_address() {
        let query = [A, ("since", "e:7"), B];
        let since = |id| asked(&query, Some(id)).unwrap().positions.since(0);
        assert_eq!(since("e:9,-"), after("e", 9));
        assert_eq!(since(""), after("e", 7));
        for foreign in ["e:9", "e:9,-,-", "nonsense", "e:x,-"] {
            assert_eq!(since(foreign), Since::Now, "{foreign}");
        }
    }

    #[test]
    fn what_cannot_be_heard_is_refused() {
        let cases: [(&[_], _); 7] = [
            (&[], "InvalidChannelName"),
            (&[("channel", "view:short")], "InvalidChannelName"),
            (&[A, ("channel", "controller:*")], "ForbiddenChannel"),
            (&[A, ("since", "7")], "ValidationError"),
            (&[A, ("since", "e\n:7")], "ValidationError"),
            (&[A, ("since", "e:7"), ("since", "e:8")], "ValidationError"),
            (&[A; SUBSCRIPTIONS + 1], "TooManySubscriptions"),
        ];
        for (query, code) in cases {
            let refused = asked(query, None).err().unwrap();
            assert!(refused.contains(code), "{query:?}: {refused}");
        }
    }

    #[test]
    fn a_tab_may_leave_out_what_it_says_itself() {
        let request = asked(&[A, ("omitSelf", "true"), ("uuid", "tab")], None).unwrap();
        assert_eq!(request.omit, Omit::Publisher("tab".into()));
    }
}
