//! What happens when the client has loaded.

use std::rc::Rc;

use client::{js, link::RelayLink};
use wasm_bindgen::prelude::wasm_bindgen;

/// Connects to the relay; what scripts subscribed to until now begins.
#[wasm_bindgen]
pub fn start() {
    let (uuid, _) = js::facts();
    js::attach(&Rc::new(RelayLink::start(uuid, js::tell)));
}
