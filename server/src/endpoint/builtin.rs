//! The endpoints every site has.

mod status;
mod test;
mod todo;

use std::sync::Arc;

use app::ports::Ports;

use super::{Auth, Endpoints, Limits, Plain, RegisterError, Rule};

pub(super) use status::send_stats;

pub use app::websocket::{CHAT, EMOJI, REQUEST, ROOMS, STATUS, TEST, TODO};

/// Adds them all.
///
/// # Errors
///
/// When one of their names is taken.
pub fn register(endpoints: &Endpoints, ports: &Ports, socket_messages: u32) -> Result<(), RegisterError> {
    let limits = Limits { max_messages: socket_messages, ..Limits::default() };
    let rule = |auth| Rule { limits, ..Rule::new(auth) };
    endpoints.register(STATUS, rule(Auth::Admin), Arc::new(status::Status))?;
    endpoints.register(TEST, rule(Auth::User), Arc::new(test::Echo))?;
    endpoints.register(REQUEST, rule(Auth::Public), Arc::new(test::Echo))?;
    for name in [EMOJI, ROOMS, CHAT] {
        endpoints.register(name, rule(Auth::Public), Arc::new(Plain))?;
    }
    endpoints.register(TODO, rule(Auth::Public), Arc::new(todo::List::new(ports.clone())))
}
