//! What the client asks of the browser it runs in.

use std::time::Duration;

use js_sys::Reflect;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, Window};

/// The page's window.
pub fn window() -> Window {
    // A page has nothing else for a global object.
    js_sys::global().unchecked_into()
}

/// Since the page began.
pub fn now() -> Duration {
    let milliseconds = window().performance().map_or_else(js_sys::Date::now, |clock| clock.now());
    Duration::from_secs_f64(milliseconds.max(0.0) / 1_000.0)
}

/// Where a path of this site is for a socket; `uuid` names the tab.
pub fn socket_address(path: &str, uuid: &str) -> String {
    let location = window().location();
    let scheme = if location.protocol().is_ok_and(|protocol| protocol == "https:") { "wss" } else { "ws" };
    let joint = if path.contains('?') { "&" } else { "?" };
    let host = location.host().unwrap_or_default();
    let uuid = String::from(js_sys::encode_uri_component(uuid));
    [scheme, "://", &host, path, joint, "uuid=", &uuid].concat()
}

/// Whether the browser believes to have a network.
pub(crate) fn is_online() -> bool {
    window().navigator().on_line()
}

/// Whether nobody sees the page.
fn is_hidden() -> bool {
    window().document().is_some_and(|document| document.hidden())
}

/// What a page learns about its chances.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// The network is there again.
    Online,
    /// The page is seen again.
    Seen,
    /// The page is back from the browser's back/forward cache.
    Restored,
    /// The network is gone, the browser says.
    Offline,
}

/// Calls back whenever the outlook changes, for as long as the page lives.
pub(crate) fn watch_outlook(callback: impl Fn(Outlook) + 'static) {
    // `visibilitychange` bubbles up from the document.
    listen(&["online", "offline", "pageshow", "visibilitychange"], move |event| {
        let outlook = match event.type_().as_str() {
            "online" => Outlook::Online,
            "offline" => Outlook::Offline,
            "visibilitychange" if is_hidden() => return,
            "visibilitychange" => Outlook::Seen,
            "pageshow" if Reflect::get(&event, &"persisted".into()).is_ok_and(|kept| kept.is_truthy()) => {
                Outlook::Restored
            }
            // The page is just beginning.
            _ => return,
        };
        callback(outlook);
    });
}

/// Calls back at these events of the window for as long as the page lives.
fn listen(events: &[&str], callback: impl Fn(Event) + 'static) {
    let callback = Closure::<dyn Fn(Event)>::new(callback);
    let window = window();
    for event in events {
        // A browser that knows one of them not still has timers.
        let _ = window.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref());
    }
    // The page's own.
    callback.forget();
}

/// Says in the console that something is wrong.
pub(crate) fn complain(text: &str) {
    web_sys::console::error_1(&text.into());
}
