//! The client alone, for plain pages: connects `window.jPulse` and shows nothing.
//!
//! The script that calls it, `/jpulse.js`, is the one tag such a page has. On other machines than a
//! browser there is nothing here.

#[cfg(target_arch = "wasm32")]
mod start;
