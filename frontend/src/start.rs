//! What happens when the page has loaded.

use std::rc::Rc;

use app::cluster::{self, EndpointLink, Link};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{endpoints::Connection, js, link::RelayLink, raw};

/// Connects to the relay and brings the page to life. Called by the script in the page's head.
///
/// When all is done, `<html>` has the attribute `data-hydrated`.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    let (uuid, is_cluster_mode) = js::facts();
    let link: Rc<dyn Link> = Rc::new(RelayLink::start(uuid, is_cluster_mode));
    js::attach(&link);
    let uuid = link.uuid();
    cluster::install_raw(raw::opener(Rc::clone(&uuid)));
    cluster::install_endpoints(Rc::new(move |path, ears| {
        Rc::new(Connection::open(path, Rc::clone(&uuid), ears)) as Rc<dyn EndpointLink>
    }));
    cluster::install(link);
    leptos::mount::hydrate_body(app::app::App);
    wasm_bindgen_futures::spawn_local(async {
        // Effects, which is where listeners are added, run in the tick behind hydration.
        leptos::task::tick().await;
        leptos::task::tick().await;
        js::hydrated();
    });
}
