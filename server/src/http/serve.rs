//! Accepts connections and serves them until told to stop.

mod conduit;
mod heads;
mod refusal;
mod slots;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use futures_util::future::Either;
use http::{HeaderValue, StatusCode, header};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{Peer, shape::Ambiguous};
use crate::{accepted::AcceptedWork, socket::Line};
use conduit::Conduit;
pub use slots::Slots;
use slots::{Guest, Slot};

/// How long a client may take to send its headers, or to send a further request.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of buffer an HTTP connection may use: headers beyond are refused. Enough for an event stream
/// of 256 channels of usual length that says where it stands in each.
const HEADER_BYTES: usize = 32 * 1024;
/// How long a connection without a request stays open when no more are taken: its next request may be on its way.
const LINGER: Duration = Duration::from_millis(500);
/// Pause after an accept that failed, for want of file descriptors most likely.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Serves until `stop`; then takes no more connections and returns when the requests under way are
/// answered, and those that come on open connections in the next moment. A request that changes something
/// is finished also when its client hangs up.
pub async fn serve(listener: TcpListener, router: Router, slots: Slots, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let accepted_work = AcceptedWork::new(connections.clone());
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => {
                // Closed without a word where there is no place: whoever opens so many reads none.
                let Some(slot) = slots.take(peer.ip()) else { continue };
                let (router, work, stop) = (router.clone(), accepted_work.clone(), stop.clone());
                connections.spawn(converse(stream, peer, slot, router, work, stop));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    slot: Slot,
    router: Router,
    accepted_work: AcceptedWork,
    stop: CancellationToken,
) {
    // A small answer that waits for the next one is what nobody wants here.
    let _ = stream.set_nodelay(true);
    let (line, line_end) = Line::new();
    let guest = slot.guest();
    // What hyper reads at once may double what it keeps.
    let conduit = Conduit::new(stream, slot, 2 * HEADER_BYTES);
    let caller = Caller { peer, line, guest: guest.clone(), is_ambiguous: conduit.ambiguity(), stop: stop.clone() };
    let service = service_fn(move |request: Request<Incoming>| {
        // Started in this very call: of a client that is gone already, hyper polls the future not even once.
        let is_change = !request.method().is_safe();
        let answering = answer(router.clone(), caller.clone(), request);
        if !is_change {
            return Either::Left(answering);
        }
        let started = accepted_work.start(answering);
        Either::Right(async move { started.await.unwrap_or_else(|| Ok(panicked())) })
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN).max_buf_size(HEADER_BYTES);
    let connection = builder.serve_connection(TokioIo::new(conduit), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let serving = async {
        // Each answer from now on says that it is the last. Who asks nothing is asked to go only then: closed at
        // once, a request that was just sent would be lost, and its sender could not tell whether it took effect.
        tokio::select! {
            served = connection.as_mut() => return served,
            () = async { stop.cancelled().await; sleep(LINGER).await } => connection.as_mut().graceful_shutdown(),
        }
        connection.await
    };
    let served = tokio::select! {
        served = serving => served,
        () = line_end.is_cut() => return,
        () = guest.must_go() => return,
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The other end of a connection, for each of its requests.
#[derive(Clone)]
struct Caller {
    peer: SocketAddr,
    line: Line,
    guest: Guest,
    is_ambiguous: Arc<AtomicBool>,
    stop: CancellationToken,
}

/// Answers one request. Behind a body in chunks the connection ends: its [`heads`] are followed no further. So it
/// does when the instance stops.
async fn answer(
    router: Router,
    caller: Caller,
    request: Request<Incoming>,
) -> Result<Response, std::convert::Infallible> {
    caller.guest.is_served();
    let mut request = request.map(Body::new);
    let is_ambiguous = caller.is_ambiguous.load(Ordering::Relaxed);
    let is_last = is_ambiguous || request.headers().contains_key(header::TRANSFER_ENCODING);
    let extensions = request.extensions_mut();
    extensions.insert(Peer(caller.peer));
    extensions.insert(caller.line);
    if is_ambiguous {
        extensions.insert(Ambiguous);
    }
    let stop = caller.stop;
    let mut response = router.oneshot(request).await?;
    // A socket is told so by its own last frame.
    let is_socket = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    if is_last || stop.is_cancelled() && !is_socket {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// The answer of a handler that panicked.
fn panicked() -> Response {
    let error = r#"{"success":false,"error":"Something went wrong on the server.","code":"INTERNAL_ERROR"}"#;
    let head = [(header::CONTENT_TYPE, "application/json"), (header::CONNECTION, "close")];
    (StatusCode::INTERNAL_SERVER_ERROR, head, error).into_response()
}
