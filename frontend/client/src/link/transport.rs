//! What carries the session's frames: a socket, or event streams where no socket gets through.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use gloo_timers::callback::Timeout;

use crate::{
    browser::{is_online, socket_address},
    event_stream::EventStream,
    socket::{Said, Socket},
    way::{Choice, Way},
};

/// Where the relay is.
const RELAY: &str = "/api/1/ws/jp-broadcast";
/// How long streams do before a socket is tried again, in milliseconds.
const TRY_SOCKET_AFTER: u32 = 5 * 60 * 1_000;

/// The one connection of the tab, whichever way it goes.
pub(super) struct Transport {
    uuid: Rc<str>,
    choice: RefCell<Choice>,
    carrier: RefCell<Option<Carrier>>,
    /// Whether anything has come from the carrier.
    works: Cell<bool>,
    /// Asks the session for another connection; says whether it will have one now.
    change: RefCell<Option<Change>>,
    /// A socket opened beside streams, to see whether it gets through.
    trial: RefCell<Option<Socket>>,
    /// Rings when a socket is to be tried.
    timer: RefCell<Option<Timeout>>,
}

/// Asks for another connection; whether there will be one.
type Change = Rc<dyn Fn() -> bool>;

enum Carrier {
    Socket(Socket),
    Stream(EventStream),
}

impl Transport {
    pub(super) fn new(uuid: Rc<str>) -> Rc<Self> {
        Rc::new(Self {
            uuid,
            choice: RefCell::default(),
            carrier: RefCell::default(),
            works: Cell::new(false),
            change: RefCell::default(),
            trial: RefCell::default(),
            timer: RefCell::default(),
        })
    }

    /// Opens a connection in place of the one before; whether the browser will have it. `change` is
    /// called when another way seems better.
    pub(super) fn connect(self: &Rc<Self>, hear: Rc<dyn Fn(Said)>, change: Change) -> bool {
        self.works.set(false);
        self.change.replace(Some(change));
        let this = Rc::downgrade(self);
        let hear: Rc<dyn Fn(Said)> = Rc::new(move |said| {
            if let Some(this) = this.upgrade() {
                this.note(&said);
            }
            hear(said);
        });
        let way = self.choice.borrow().way();
        let carrier = match way {
            Way::Socket => Socket::open(&socket_address(RELAY, &self.uuid), hear).map(Carrier::Socket),
            Way::Stream => EventStream::open(&self.uuid, hear).map(Carrier::Stream),
        };
        let is_open = carrier.is_some();
        let before = self.carrier.replace(carrier);
        drop(before);
        if !is_open {
            self.failed();
        }
        is_open
    }

    /// Drops the connection without waiting for it to close.
    pub(super) fn disconnect(&self) {
        // In a statement of its own: what is dropped may call back.
        let carrier = self.carrier.take();
        if carrier.is_some() && !self.works.get() {
            self.failed();
        }
    }

    /// Sends a text. Lost when the connection is going away.
    pub(super) fn send(&self, text: &str) {
        match &*self.carrier.borrow() {
            Some(Carrier::Socket(socket)) => socket.send(text),
            Some(Carrier::Stream(stream)) => stream.send(text),
            None => {}
        }
    }

    /// Tries beside streams whether a socket gets through by now.
    pub(super) fn try_socket(self: &Rc<Self>) {
        if !matches!(&*self.carrier.borrow(), Some(Carrier::Stream(_))) || self.trial.borrow().is_some() {
            return;
        }
        let this = Rc::downgrade(self);
        let socket = Socket::open(&socket_address(RELAY, &self.uuid), Rc::new(move |said| tried(&this, &said)));
        self.trial.replace(socket);
    }

    fn note(self: &Rc<Self>, said: &Said) {
        match said {
            Said::Opened => {}
            Said::Text(_) => {
                if !self.works.replace(true) {
                    self.choice.borrow_mut().works();
                    self.set_timer();
                }
            }
            // A connection that was good says nothing against its way.
            Said::Closed(_) => {
                if !self.works.replace(true) {
                    self.failed();
                }
            }
        }
    }

    fn failed(&self) {
        self.choice.borrow_mut().failed(is_online());
    }

    /// While streams carry, a socket is to be tried after a time, however often they break meanwhile.
    fn set_timer(self: &Rc<Self>) {
        if self.choice.borrow().way() == Way::Socket || self.timer.borrow().is_some() {
            return;
        }
        let this = Rc::clone(self);
        let timer = Timeout::new(TRY_SOCKET_AFTER, move || {
            this.timer.take();
            this.try_socket();
            this.set_timer();
        });
        self.timer.replace(Some(timer));
    }
}

/// What became of a trial.
fn tried(transport: &Weak<Transport>, said: &Said) {
    let Some(transport) = transport.upgrade() else { return };
    match said {
        Said::Opened => return,
        Said::Closed(_) => {}
        Said::Text(_) => {
            let change = transport.change.borrow().clone();
            // From here on the session connects by socket.
            let streams = transport.choice.take();
            if !change.is_some_and(|change| change()) {
                transport.choice.replace(streams);
            }
        }
    }
    transport.trial.take();
}
