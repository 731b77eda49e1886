//! The browser: brings the rendered page to life and keeps it in touch with the other ones.
//!
//! The path of one message: the socket hands its text to the session, which knows the relay's
//! protocol, and says who is to get it; the link hands it to them: components through the
//! application's port, plain scripts through `window.jPulse`.
//!
//! Connections to WebSocket endpoints are others: each a [`talk`] over a socket of its own.
//!
//! Where no socket gets through, event streams do its work ([`stream`]); [`way`] decides.
//!
//! Only what is a value is built on other machines than a browser: its tests need none.

pub mod session;
pub mod stream;
pub mod talk;
pub mod way;

#[cfg(target_arch = "wasm32")]
mod endpoints;
#[cfg(target_arch = "wasm32")]
mod event_stream;
#[cfg(target_arch = "wasm32")]
mod js;
#[cfg(target_arch = "wasm32")]
mod link;
#[cfg(target_arch = "wasm32")]
mod raw;
#[cfg(target_arch = "wasm32")]
mod socket;
#[cfg(target_arch = "wasm32")]
mod start;
