//! WebSocket endpoints for pages: what components use, and the port that the browser crate fills.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

use leptos::prelude::*;
use serde_json::{Map, Value, json};
use wire::{
    Code,
    endpoint::{PresenceDiff, PresenceFrame, Present, RequestError},
};

use super::{answer::Answer, throttle::throttled};

/// A connection to one endpoint. Single-threaded, as a browser's page is. Nothing here calls back before
/// it has returned.
pub trait EndpointLink {
    /// Sends a message; while the connection is away it waits, within bounds.
    fn send(&self, message: Map<String, Value>);
    /// Asks; `settle` is called once.
    fn request(&self, message: Map<String, Value>, within: Option<Duration>, settle: SettleRequest);
    /// How the connection is doing now.
    fn status(&self) -> EndpointStatus;
    /// Ends the connection for good.
    fn disconnect(&self);
}

/// Hears what became of a request: `data` of the answer's frame.
pub type SettleRequest = Box<dyn FnOnce(Result<Value, RequestError>)>;

/// Who listens on a connection.
#[derive(Clone)]
pub struct EndpointEars {
    /// Called with `data` of each frame that answers no request.
    pub on_message: Rc<dyn Fn(&Value)>,
    /// Called when the connection comes or goes.
    pub on_status: Rc<dyn Fn(EndpointStatus)>,
    /// Answers requests of the server.
    pub on_request: Rc<dyn Fn(Value, SettleRequest)>,
}

/// How the connection to an endpoint is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EndpointStatus {
    /// Not there for the first time yet.
    #[default]
    Connecting,
    /// There.
    Connected,
    /// Lost, and on the way back.
    Reconnecting,
    /// Ended by whoever wanted it.
    Disconnected,
    /// Given up: sign in, as somebody who may be here.
    AuthRequired,
}

impl EndpointStatus {
    /// As scripts know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
            Self::Disconnected => "disconnected",
            Self::AuthRequired => "auth-required",
        }
    }
}

/// Opens connections; what the browser crate installs.
pub type OpenEndpoint = Rc<dyn Fn(&str, EndpointEars) -> Rc<dyn EndpointLink>>;

thread_local! {
    static OPEN: RefCell<Option<OpenEndpoint>> = const { RefCell::new(None) };
    /// The connections of this page's components, which hold their numbers: a link stays on its thread.
    static LINKS: RefCell<BTreeMap<u64, Rc<dyn EndpointLink>>> = const { RefCell::new(BTreeMap::new()) };
}

fn link(number: u64) -> Option<Rc<dyn EndpointLink>> {
    LINKS.with(|links| links.borrow().get(&number).cloned())
}

fn keep_link(link: Rc<dyn EndpointLink>) -> u64 {
    LINKS.with(|links| {
        let mut links = links.borrow_mut();
        let number = links.keys().next_back().map_or(0, |last| last + 1);
        links.insert(number, link);
        number
    })
}

/// Fills the port; called once, before hydration.
pub fn install_endpoints(open: OpenEndpoint) {
    OPEN.with(|installed| *installed.borrow_mut() = Some(open));
}

fn installed() -> Option<OpenEndpoint> {
    OPEN.with(|installed| installed.borrow().clone())
}

/// A component's connection to an endpoint; ends with the component.
#[derive(Clone, Copy)]
pub struct Endpoint {
    /// The number of its link, once it has one.
    link: StoredValue<Option<u64>>,
    status: RwSignal<EndpointStatus>,
    present: RwSignal<BTreeMap<Arc<str>, Present>>,
    /// What others know this visitor by; empty until presence was told.
    own_id: RwSignal<Arc<str>>,
}

/// Connects to an endpoint for as long as the component lives, and calls `on_message` with `data` of
/// each frame: `{type: "message", data: {from, target, data, timestamp}}`, or a type of the endpoint's own.
///
/// On the server, and until the page came to life, nothing happens.
pub fn use_endpoint(path: impl Into<Rc<str>>, on_message: impl Fn(&Value) + 'static) -> Endpoint {
    use_answering_endpoint(path, on_message, |_| {
        Err(RequestError::new(Code::InvalidMessage, "this page answers no requests"))
    })
}

/// [`use_endpoint`] that also answers requests of the server: `on_request` gets their `data`.
///
/// On the server, and until the page came to life, nothing happens.
pub fn use_answering_endpoint(
    path: impl Into<Rc<str>>,
    on_message: impl Fn(&Value) + 'static,
    on_request: impl Fn(&Value) -> Result<Value, RequestError> + 'static,
) -> Endpoint {
    let endpoint = Endpoint {
        link: StoredValue::new(None),
        status: RwSignal::new(EndpointStatus::Connecting),
        present: RwSignal::new(BTreeMap::new()),
        own_id: RwSignal::default(),
    };
    let path = path.into();
    let (on_message, on_request) = (Rc::new(on_message), Rc::new(on_request));
    let owner = Owner::current();
    Effect::new(move || {
        let Some(open) = installed() else { return };
        let (on_message, on_request, owner) = (Rc::clone(&on_message), Rc::clone(&on_request), owner.clone());
        let number = keep_link(open(
            &path,
            EndpointEars {
                on_message: Rc::new(move |data| {
                    endpoint.note_presence(data);
                    let call = || untrack(|| on_message(data));
                    match &owner {
                        Some(owner) => owner.with(call),
                        None => call(),
                    }
                }),
                on_status: Rc::new(move |status| endpoint.status_changed(status)),
                on_request: Rc::new(move |data, settle| settle(untrack(|| on_request(&data)))),
            },
        ));
        endpoint.link.set_value(Some(number));
        on_cleanup(move || {
            // In a statement of its own: what is dropped may call back.
            let link = LINKS.with(|links| links.borrow_mut().remove(&number));
            if let Some(link) = link {
                link.disconnect();
            }
        });
    });
    endpoint
}

/// Who is on the endpoint of this connection, on every instance; follows live.
///
/// On the server, nobody.
pub fn use_presence(endpoint: Endpoint) -> Signal<Vec<Present>> {
    Effect::new(move || {
        // Asked again after each reconnect: what came meanwhile was not told.
        if endpoint.status.get() == EndpointStatus::Connected {
            endpoint.send(&json!({ "type": "presence" }));
        }
    });
    Signal::derive(move || endpoint.present.with(|present| present.values().cloned().collect()))
}

impl Endpoint {
    /// Sends a message, an object with a `type`; anything else is passed over.
    pub fn send(self, message: &Value) {
        if let (Some(link), Value::Object(message)) = (self.link(), message) {
            link.send(message.clone());
        }
    }

    /// [`Endpoint::send`] at most once in an interval: the first message at once, of those that follow too
    /// soon the latest when the interval is over. For pointers, sliders and drafts.
    pub fn throttled(self, every: Duration) -> impl Fn(Value) + Clone + 'static {
        throttled(every, move |message| self.send(&message))
    }

    /// Asks, and calls `settle` once with `data` of the answer's frame.
    pub fn request(self, message: &Value, settle: impl FnOnce(Result<Value, RequestError>) + 'static) {
        match (self.link(), message) {
            (Some(link), Value::Object(message)) => link.request(message.clone(), None, Box::new(settle)),
            _ => settle(Err(RequestError::new(Code::ConnectionLost, "there is no connection yet"))),
        }
    }

    /// [`Endpoint::request`] as a future.
    pub fn ask(self, message: &Value) -> impl Future<Output = Result<Value, RequestError>> + Send + use<> {
        let answer = Answer::new();
        let settled = answer.clone();
        self.request(message, move |outcome| settled.settle(outcome));
        answer
    }

    /// How the connection is doing; follows live.
    pub fn status(self) -> Signal<EndpointStatus> {
        self.status.into()
    }

    /// What others know this visitor by, as in [`Present::id`]; empty until [`use_presence`] knows.
    pub fn own_id(self) -> Signal<Arc<str>> {
        self.own_id.into()
    }

    fn link(self) -> Option<Rc<dyn EndpointLink>> {
        self.link.try_get_value().flatten().and_then(link)
    }

    fn status_changed(self, status: EndpointStatus) {
        self.status.try_set(status);
    }

    fn note_presence(self, data: &Value) {
        let part = |name: &str| (data["type"] == name).then(|| data["data"].clone());
        if let Some(Ok(PresenceFrame { users, you, .. })) = part("presence").map(serde_json::from_value) {
            self.own_id.try_set(you);
            self.present.try_set(users.into_iter().map(|user| (Arc::clone(&user.id), user)).collect());
        } else if let Some(Ok(PresenceDiff { joined, left, .. })) = part("presence-diff").map(serde_json::from_value) {
            self.present.try_update(|present| {
                present.extend(joined.into_iter().map(|user| (Arc::clone(&user.id), user)));
                for id in &left {
                    present.remove(id);
                }
            });
        }
    }
}
