//! What happens when the page has loaded.

use std::rc::Rc;

use app::cluster::{self, Link};
use client::js;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{endpoints, port::Port, raw};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["jPulse", "_application"], js_name = hydrated)]
    fn tell_hydrated() -> Result<(), JsValue>;
}

/// Connects to the relay. Called first by the script in the page's head.
#[wasm_bindgen]
pub fn connect() {
    console_error_panic_hook::set_once();
    let (uuid, is_cluster_mode) = js::facts();
    let port = Rc::new(Port::start(uuid, is_cluster_mode));
    let uuid = port.uuid();
    cluster::install_raw(raw::opener(Rc::clone(&uuid)));
    cluster::install_endpoints(endpoints::opener(uuid));
    cluster::install(port);
}

/// Brings the page to life, over what [`connect`] installed.
///
/// When all is done, `<html>` has the attribute `data-hydrated`.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_body(app::app::App);
    wasm_bindgen_futures::spawn_local(async {
        // Effects, which is where listeners are added, run in the tick behind hydration.
        leptos::task::tick().await;
        leptos::task::tick().await;
        // Without the page's head there is nobody to tell.
        let _ = tell_hydrated();
    });
}
