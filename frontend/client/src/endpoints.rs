//! Runs talks over sockets, with the browser's clock and dice: connections to WebSocket endpoints.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use gloo_timers::callback::Timeout;
use serde_json::{Map, Value};
use wasm_bindgen_futures::spawn_local;
use wire::endpoint::RequestError;

use crate::{
    browser::{Outlook, now, socket_address, watch_outlook},
    request,
    socket::{Said, Socket},
    table::Table,
    talk::{Action, Event, RequestId, Status, Talk},
};

/// What browsers say of a socket that never opened.
const NEVER_OPENED: u16 = 1006;

/// Hears what became of a request: `data` of the answer's frame.
pub type Settle = Box<dyn FnOnce(Result<Value, RequestError>)>;

/// Who listens on a connection.
pub struct Ears {
    /// Called with `data` of each frame that answers no request.
    pub on_message: Rc<dyn Fn(&Value)>,
    /// Called when the connection comes or goes.
    pub on_status: Rc<dyn Fn(Status)>,
    /// Answers requests of the server.
    pub on_request: Rc<dyn Fn(Value, Settle)>,
}

/// A connection to one endpoint. Nothing here calls back before it has returned.
pub struct Connection(Rc<Inner>);

struct Inner {
    path: String,
    uuid: Rc<str>,
    ears: Ears,
    talk: RefCell<Talk>,
    socket: RefCell<Option<Socket>>,
    /// What is still to be done; one action may lead to others.
    actions: RefCell<VecDeque<Action>>,
    is_acting: Cell<bool>,
    /// The earliest moment a timer is set for.
    wakes_at: Cell<Option<Duration>>,
    next_id: Cell<u64>,
    requests: RefCell<Table<RequestId, Settle>>,
}

impl Connection {
    /// Connects to the endpoint at this path; `uuid` names the tab.
    pub fn open(path: &str, uuid: Rc<str>, ears: Ears) -> Self {
        let inner = Rc::new(Inner {
            path: path.to_owned(),
            uuid,
            ears,
            talk: RefCell::default(),
            socket: RefCell::default(),
            actions: RefCell::default(),
            is_acting: Cell::new(false),
            wakes_at: Cell::new(None),
            next_id: Cell::new(0),
            requests: RefCell::default(),
        });
        inner.watch_page();
        inner.happen_soon(Event::Started);
        Self(inner)
    }

    /// Sends a message; while the connection is away it waits, within bounds.
    pub fn send(&self, message: Map<String, Value>) {
        self.0.happen_soon(Event::Send(message));
    }

    /// Asks; `settle` is called once.
    pub fn request(&self, message: Map<String, Value>, within: Option<Duration>, settle: Settle) {
        let id = RequestId(self.0.next_id.replace(self.0.next_id.get() + 1));
        self.0.requests.borrow_mut().insert(id, settle);
        self.0.happen_soon(Event::Request { id, message, within });
    }

    /// How the connection is doing now.
    pub fn status(&self) -> Status {
        self.0.talk.borrow().status()
    }

    /// Ends the connection for good.
    pub fn disconnect(&self) {
        self.0.happen_soon(Event::Ended);
    }
}

impl Inner {
    /// Takes in an event and does at once what follows from it.
    fn happen(self: &Rc<Self>, event: Event) {
        self.note(event);
        self.act();
    }

    /// Takes in an event; what follows from it is done when the caller has returned.
    fn happen_soon(self: &Rc<Self>, event: Event) {
        self.note(event);
        let this = Rc::clone(self);
        spawn_local(async move { this.act() });
    }

    fn note(&self, event: Event) {
        let actions = self.talk.borrow_mut().handle(event, now(), js_sys::Math::random());
        self.actions.borrow_mut().extend(actions);
    }

    fn act(self: &Rc<Self>) {
        if self.is_acting.replace(true) {
            return;
        }
        loop {
            // In a statement of its own, so that an action may lead to others.
            let action = self.actions.borrow_mut().pop_front();
            match action {
                Some(action) => self.perform(action),
                None => break,
            }
        }
        self.is_acting.set(false);
        self.set_timer();
    }

    fn perform(self: &Rc<Self>, action: Action) {
        match action {
            Action::Connect => self.connect(),
            Action::Disconnect => {
                let before = self.socket.take();
                drop(before);
            }
            Action::Send(text) => {
                if let Some(socket) = &*self.socket.borrow() {
                    socket.send(&text);
                }
            }
            Action::Deliver(data) => (self.ears.on_message)(&data),
            Action::Asked { request_id, data } => {
                let this = Rc::clone(self);
                let settle = move |answer| this.happen_soon(Event::Answer { request_id, answer });
                (self.ears.on_request)(data, Box::new(settle));
            }
            Action::Settle(id, outcome) => {
                let settle = self.requests.borrow_mut().remove(&id);
                if let Some(settle) = settle {
                    settle(outcome);
                }
            }
            Action::Status(now) => (self.ears.on_status)(now),
            Action::Inquire => self.inquire(),
        }
    }

    fn connect(self: &Rc<Self>) {
        let this = Rc::downgrade(self);
        let hear = move |said| {
            let Some(this) = this.upgrade() else { return };
            this.happen(match said {
                Said::Opened => Event::Opened,
                Said::Text(text) => Event::Text(text),
                Said::Closed(code) => Event::Closed { code },
            });
        };
        let before = self.socket.replace(Socket::open(&socket_address(&self.path, &self.uuid), Rc::new(hear)));
        drop(before);
        if self.socket.borrow().is_none() {
            self.note(Event::Closed { code: NEVER_OPENED });
        }
    }

    /// A browser does not tell why a socket was refused; the same address over HTTP does.
    fn inquire(self: &Rc<Self>) {
        let this = Rc::clone(self);
        spawn_local(async move {
            if matches!(request::status_of(&this.path).await, Some(401 | 403)) {
                this.happen(Event::Refused);
            }
        });
    }

    /// Sets a timer for when the talk wants to be woken. One that rings too early does no harm, so that
    /// none is ever cancelled.
    fn set_timer(self: &Rc<Self>) {
        let Some(wake_at) = self.talk.borrow().wake_at() else { return };
        if self.wakes_at.get().is_some_and(|set| set <= wake_at) {
            return;
        }
        self.wakes_at.set(Some(wake_at));
        let pause = wake_at.saturating_sub(now()).as_millis().saturating_add(1);
        let this = Rc::downgrade(self);
        Timeout::new(u32::try_from(pause).unwrap_or(u32::MAX), move || {
            let Some(this) = this.upgrade() else { return };
            if this.wakes_at.get() == Some(wake_at) {
                this.wakes_at.set(None);
            }
            this.happen(Event::Woke);
        })
        .forget();
    }

    /// Hears of the network, and when the page is seen again.
    fn watch_page(self: &Rc<Self>) {
        let this = Rc::downgrade(self);
        // Heard as long as the page lives; a few bytes for each connection it ever had.
        watch_outlook(move |outlook| {
            let Some(this) = this.upgrade() else { return };
            this.happen(if outlook == Outlook::Offline { Event::Discouraged } else { Event::Encouraged });
        });
    }
}
