//! One instance and several, with real Redis and real MongoDB.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bus;
mod cluster;
mod events;
mod kit;
mod modes;
mod outage;
mod relay;
mod rest;
mod start;
mod store;
mod tell;
mod todos;
