//! One instance and several, with real Redis and real MongoDB.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod bus;
mod carts;
mod check;
mod checker;
mod clock;
mod cluster;
mod config_cache;
mod contract;
mod docs;
mod door;
mod endpoints;
mod events;
mod evicted;
mod hang_up;
mod hub;
mod kit;
mod memory;
mod metrics;
mod modes;
mod namesakes;
mod notifications;
mod observatory;
mod outage;
mod programs;
mod proxy;
mod refused;
mod relay;
mod rest;
mod sessions;
mod start;
mod store;
mod subscribing;
mod supervisor;
mod tell;
mod texts;
mod todos;
mod user_status;
