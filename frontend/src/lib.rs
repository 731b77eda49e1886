//! The site in the browser: brings the rendered page to life and keeps it in touch with the other ones.
//!
//! The path of one message: the client hears it on the tab's socket and hands it to the ears that the
//! application's port gave it for a component; plain scripts hear it through `window.jPulse`.
//!
//! On other machines than a browser there is nothing here.

#[cfg(target_arch = "wasm32")]
mod endpoints;
#[cfg(target_arch = "wasm32")]
mod port;
#[cfg(target_arch = "wasm32")]
mod raw;
#[cfg(target_arch = "wasm32")]
mod start;
