//! An echo on the sockets of this server: says back what it hears, for a conformance suite to judge.
//!
//! `cargo run --example echo -- 127.0.0.1:9001`; `make conformance` runs the suite against it.

use std::{env, error::Error};

use axum::{Router, extract::Request, response::IntoResponse, routing::get};
use http::StatusCode;
use server::socket::{Received, SocketStream, Upgrade, binary_frame, close_frame, text_frame};
use tokio::net::TcpListener;

/// The largest messages of the suite have 16 MiB.
const MESSAGE_BYTES: usize = 16 * 1_024 * 1_024;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).ok_or("an address to listen on is missing, such as 127.0.0.1:9001")?;
    let listener = TcpListener::bind(address).await?;
    axum::serve(listener, Router::new().fallback(get(upgrade))).await?;
    Ok(())
}

async fn upgrade(mut request: Request) -> impl IntoResponse {
    match Upgrade::of(&mut request) {
        Ok(upgrade) => upgrade.accept(MESSAGE_BYTES, echo),
        Err(_) => StatusCode::UPGRADE_REQUIRED.into_response(),
    }
}

async fn echo(mut stream: SocketStream) {
    loop {
        let mut frames = match stream.receive().await {
            Received::Text(text) => vec![text_frame(&text)],
            Received::Binary(bytes) => vec![binary_frame(&bytes)],
            Received::Pong => continue,
            Received::Closed => return stream.end().await,
            Received::Unreadable(code, reason) => {
                // Whoever hung up needs no reason.
                let _ = stream.send(&mut vec![close_frame(code, reason)]).await;
                return stream.hang_up().await;
            }
        };
        if stream.send(&mut frames).await.is_err() {
            return;
        }
    }
}
