//! Fills the application's port to WebSocket endpoints with the client's connections.

use std::{rc::Rc, time::Duration};

use app::cluster::{EndpointEars, EndpointLink, EndpointStatus, OpenEndpoint, SettleRequest};
use client::{
    endpoints::{Connection, Ears},
    talk::Status,
};
use serde_json::{Map, Value};

/// What the application's port is filled with; `uuid` names the tab.
pub fn opener(uuid: Rc<str>) -> OpenEndpoint {
    Rc::new(move |path, EndpointEars { on_message, on_status, on_request }| {
        let on_status = Rc::new(move |now| on_status(status(now)));
        Rc::new(Port(Connection::open(path, Rc::clone(&uuid), Ears { on_message, on_status, on_request })))
    })
}

struct Port(Connection);

impl EndpointLink for Port {
    fn send(&self, message: Map<String, Value>) {
        self.0.send(message);
    }

    fn request(&self, message: Map<String, Value>, within: Option<Duration>, settle: SettleRequest) {
        self.0.request(message, within, settle);
    }

    fn status(&self) -> EndpointStatus {
        status(self.0.status())
    }

    fn disconnect(&self) {
        self.0.disconnect();
    }
}

fn status(status: Status) -> EndpointStatus {
    match status {
        Status::Connecting => EndpointStatus::Connecting,
        Status::Connected => EndpointStatus::Connected,
        Status::Reconnecting => EndpointStatus::Reconnecting,
        Status::Disconnected => EndpointStatus::Disconnected,
        Status::AuthRequired => EndpointStatus::AuthRequired,
    }
}
