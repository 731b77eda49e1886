//! Whether the page has come to life.

use leptos::prelude::*;

/// Turns true once the browser has taken the page over. What only a browser can know is shown from
/// then on, so that the first picture is the one the server drew.
///
/// On the server, false.
pub fn use_mounted() -> ReadSignal<bool> {
    let (is_mounted, set_mounted) = signal(false);
    Effect::new(move |_| set_mounted.set(true));
    is_mounted
}
