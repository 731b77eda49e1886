//! From an HTTP request to a socket.

use std::future::Future;

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::SocketStream;

/// A request that asks for a WebSocket and may have one.
pub struct Upgrade {
    on_upgrade: OnUpgrade,
    accept_key: String,
}

/// Why a request cannot become a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is no WebSocket request.
    NotWebSocket,
    /// It asks for a version nobody speaks any more.
    Version,
}

impl Upgrade {
    /// Checks the request's headers.
    ///
    /// # Errors
    ///
    /// When they do not ask for a WebSocket of version 13.
    pub fn of(request: &mut Request) -> Result<Self, Refusal> {
        let headers = request.headers();
        if !has_token(headers, header::CONNECTION, "upgrade") || !has_token(headers, header::UPGRADE, "websocket") {
            return Err(Refusal::NotWebSocket);
        }
        if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(Refusal::Version);
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or(Refusal::NotWebSocket)?;
        let accept_key = derive_accept_key(key.as_bytes());
        let on_upgrade = request.extensions_mut().remove::<OnUpgrade>().ok_or(Refusal::NotWebSocket)?;
        Ok(Self { on_upgrade, accept_key })
    }

    /// Answers 101; once the connection is a socket, `serve` has it. Larger messages than this end it.
    pub fn accept<F>(self, max_message_bytes: usize, serve: impl FnOnce(SocketStream) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        tokio::spawn(async move {
            if let Ok(upgraded) = self.on_upgrade.await {
                serve(SocketStream::new(upgraded, max_message_bytes).await).await;
            }
        });
        (
            StatusCode::SWITCHING_PROTOCOLS,
            [
                (header::CONNECTION, "upgrade"),
                (header::UPGRADE, "websocket"),
                (header::SEC_WEBSOCKET_ACCEPT, self.accept_key.as_str()),
            ],
        )
            .into_response()
    }
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(token))
}
