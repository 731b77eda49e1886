//! The site in the browser: brings the rendered page to life and keeps it in touch with the other ones.
//!
//! The path of one message: the [`client`] hears it on the tab's socket and hands it to the ears that
//! [`port`] gave it for a component; plain scripts hear it through `window.jPulse`.
//!
//! On other machines than a browser there is nothing here.

#![cfg(target_arch = "wasm32")]

mod endpoints;
mod port;
mod raw;
mod start;
