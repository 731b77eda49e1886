//! The browser's side of the cluster, without pages: all that a plain page needs.
//!
//! The path of one message: the socket hands its text to the [`session`], which knows the relay's
//! protocol, and says who is to get it; the link hands it to them: the application through its port,
//! plain scripts through `window.jPulse`.
//!
//! Connections to WebSocket endpoints are others: each a [`talk`] over a socket of its own.
//!
//! Where no socket gets through, event streams do its work ([`stream`]); [`way`] decides.
//!
//! Only what is a value is built on other machines than a browser: its tests need none.

mod liveness;
mod pacer;
pub mod session;
pub mod stream;
pub mod table;
pub mod talk;
pub mod way;

#[cfg(target_arch = "wasm32")]
pub mod browser;
#[cfg(target_arch = "wasm32")]
pub mod endpoints;
#[cfg(target_arch = "wasm32")]
mod event_stream;
#[cfg(target_arch = "wasm32")]
pub mod js;
#[cfg(target_arch = "wasm32")]
pub mod link;
#[cfg(target_arch = "wasm32")]
pub mod request;
#[cfg(target_arch = "wasm32")]
pub mod socket;
