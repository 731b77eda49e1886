//! Placeholder.

mod kit;
mod store;
