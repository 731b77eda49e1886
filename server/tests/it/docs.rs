//! What the guides say, as far as a program can check it: README.md and docs/*.md.
//!
//! The first word behind the fence of a block decides what becomes of it, see `docs/README.md`. JavaScript and
//! HTML are run by a browser (`end2end/tests/docs.spec.ts`).

mod alerts;
mod blocks;
mod commands;
mod configuration;
mod examples;
mod links;
mod metrics;
mod names;
mod pages;
mod repository;
mod session;
mod troubleshooting;
