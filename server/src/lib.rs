//! One instance.
//!
//! The path of one message: a browser's socket hands a publish to the [`relay`], which checks it and
//! gives it to the [`hub`]; the hub gives it an id and passes it to the [`bus`], which appends it to
//! the channel's log and tells every instance that wants it; each instance's hub delivers it, in the
//! log's order, to its listeners: sockets of the relay and callbacks of server code.
//!
//! Beside the relay stand the WebSocket [`endpoint`]s, whose messages are in no log: to everybody on an
//! endpoint, to one user, to a room.
//!
//! What instances measure and the configuration they share go past all this, to keys of their own in Redis:
//! [`metrics`], [`config_cache`].
//!
//! News of a saved change comes another way to the hub: the [`store`] keeps it from the change's own
//! transaction on until the [`teller`] has published it.

pub mod accepted;
pub mod account;
pub mod bus;
pub mod check;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod config_cache;
pub mod endpoint;
pub mod fault;
pub mod histogram;
pub mod http;
pub mod hub;
pub mod identity;
pub mod instance;
pub mod listener;
pub mod log;
pub mod metrics;
pub mod motto;
pub mod observatory;
pub mod relay;
pub mod restarts;
pub mod session;
pub mod settings;
pub mod site_files;
pub mod socket;
pub mod store;
pub mod supervisor;
pub mod teller;
pub mod throttle;
pub mod user_cache;
pub mod user_status;

pub use instance::{Instance, StartError};
