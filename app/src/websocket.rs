//! WebSocket endpoints as pages, routes and the server speak of them: who may use one, how it is doing.

pub mod rule;
pub mod stats;

use serde::{Deserialize, Serialize};

pub use rule::{Auth, Definition, DefinitionError, Denied, Limits, Rule};
pub use stats::{Activity, Counts, EndpointStats, Happening, Light, Loss, PartStats, StatsUpdate};

/// The path endpoints are below.
pub const PATH: &str = "/api/1/ws/";
/// How the endpoints are doing, for administrators.
pub const STATUS: &str = "jpulse-ws-status";
/// Answers with what it is sent, for who is signed in.
pub const TEST: &str = "jpulse-ws-test";
/// Live cursors and reactions.
pub const EMOJI: &str = "hello-emoji";
/// The to-do list over a WebSocket.
pub const TODO: &str = "hello-todo";
/// Rooms to join and leave.
pub const ROOMS: &str = "hello-rooms";
/// Requests of the browser and of the server.
pub const REQUEST: &str = "hello-request";
/// A chat.
pub const CHAT: &str = "hello-chat";

/// An endpoint as administrators see it: one of the application's, or one of theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointEntry {
    /// Its name and its rule.
    #[serde(flatten)]
    pub definition: Definition,
    /// Whether it is part of the application.
    pub built_in: bool,
    /// Where browsers connect, with `{name}` for each parameter.
    pub path: String,
}

/// Where browsers connect to an endpoint without parameters.
pub fn path_of(name: &str) -> String {
    format!("{PATH}{name}")
}
