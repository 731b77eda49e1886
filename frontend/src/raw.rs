//! Sockets without a protocol, for the test console.

use std::{cell::Cell, rc::Rc};

use app::cluster::{OpenRaw, RawSaid, RawSocket};
use client::{
    browser::socket_address,
    request,
    socket::{Said, Socket},
};
use wasm_bindgen_futures::spawn_local;

/// What the application's port is filled with; `uuid` names the tab.
pub fn opener(uuid: Rc<str>) -> OpenRaw {
    Rc::new(move |path, hear| Box::new(Raw(open(path, &uuid, hear))))
}

struct Raw(Option<Socket>);

impl RawSocket for Raw {
    fn send(&self, text: &str) {
        if let Some(socket) = &self.0 {
            socket.send(text);
        }
    }
}

fn open(path: &str, uuid: &str, hear: Rc<dyn Fn(RawSaid)>) -> Option<Socket> {
    let (stood, path_again) = (Cell::new(false), path.to_owned());
    Socket::open(
        &socket_address(path, uuid),
        Rc::new(move |said| match said {
            Said::Opened => {
                stood.set(true);
                hear(RawSaid::Opened);
            }
            Said::Text(text) => hear(RawSaid::Frame(text)),
            Said::Closed(code) if stood.get() => hear(RawSaid::Closed(code)),
            Said::Closed(_) => inquire(path_again.clone(), Rc::clone(&hear)),
        }),
    )
}

/// A browser does not tell why a socket was refused; the same address over HTTP does.
fn inquire(path: String, hear: Rc<dyn Fn(RawSaid)>) {
    spawn_local(async move { hear(RawSaid::Refused(request::status_of(&path).await)) });
}
