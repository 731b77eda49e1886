//! Time and chance of the browser.

use std::time::Duration;

use leptos::prelude::window;
use web_sys::js_sys;

/// Since the page began.
pub(super) fn now() -> Duration {
    let milliseconds = window().performance().map_or_else(js_sys::Date::now, |clock| clock.now());
    Duration::from_secs_f64(milliseconds.max(0.0) / 1_000.0)
}

/// A fresh random number in `0.0..1.0`.
pub(super) fn dice() -> f64 {
    js_sys::Math::random()
}
