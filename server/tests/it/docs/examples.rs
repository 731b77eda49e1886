//! The Rust of the guides: compiled here, and repeated there line by line. What can be seen working runs, too.

#![allow(dead_code, reason = "some of it is compiled only")]

mod accounts;
mod metrics;
mod migrate;
mod performance;
mod readme;
mod websockets;
