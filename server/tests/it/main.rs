//! One instance and several, with real Redis and real MongoDB.

mod bus;
mod cluster;
mod kit;
mod outage;
mod relay;
mod rest;
mod store;
