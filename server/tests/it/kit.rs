//! What the tests share: real servers on free ports.

pub mod mongod;
