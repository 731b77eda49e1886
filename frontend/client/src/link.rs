//! Runs the session over a socket, or what does its work, with the browser's clock and dice.

mod transport;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use gloo_timers::callback::Timeout;
use wire::{BroadcastFrame, Channel, Payload, PublishError, Receipt, close};

use crate::{
    browser::{Outlook, complain, now, watch_outlook},
    request,
    session::{Action, Event, ListenerId, News, Outcome, PublishId, Session, State, Wish},
    socket::Said,
    table::Table,
};
use transport::Transport;

/// What browsers say of a socket that never opened.
const NEVER_OPENED: u16 = 1006;

/// Hears what became of a published message.
pub type Settle = Box<dyn FnOnce(Result<Receipt, PublishError>)>;

/// Hears a message, and whether it was missed first.
pub type OnMessage = Rc<dyn Fn(&BroadcastFrame, bool)>;

/// Who listens.
pub struct Ears {
    /// Called with each message once, in the order of the channel's log.
    pub on_message: OnMessage,
    /// Called when the subscription stands, and when messages were lost.
    pub on_news: Rc<dyn Fn(News)>,
}

/// What befalls the link itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The link between the instances came or went.
    ClusterMode(bool),
    /// The socket came or went.
    State(State),
    /// Who the server takes this tab's visitor for; empty for a guest.
    Username(String),
}

/// The tab's one link to the relay. Nothing here calls back before it has returned.
pub struct RelayLink(Rc<Inner>);

struct Inner {
    uuid: Rc<str>,
    session: RefCell<Session>,
    transport: Rc<Transport>,
    /// What is still to be done; one action may lead to others.
    actions: RefCell<VecDeque<Action>>,
    is_acting: Cell<bool>,
    /// The earliest moment a timer is set for.
    wakes_at: Cell<Option<Duration>>,
    next_id: Cell<u64>,
    listeners: RefCell<Table<ListenerId, Rc<Ears>>>,
    publishes: RefCell<Table<PublishId, Unsettled>>,
    on_change: Box<dyn Fn(Change)>,
}

struct Unsettled {
    channel: Channel,
    payload: Payload,
    settle: Settle,
}

impl RelayLink {
    /// Connects, for as long as the page lives; `uuid` names the tab.
    pub fn start(uuid: Rc<str>, on_change: impl Fn(Change) + 'static) -> Self {
        let inner = Rc::new(Inner {
            session: RefCell::new(Session::new(Rc::clone(&uuid))),
            transport: Transport::new(Rc::clone(&uuid)),
            uuid,
            actions: RefCell::default(),
            is_acting: Cell::new(false),
            wakes_at: Cell::new(None),
            next_id: Cell::new(0),
            listeners: RefCell::default(),
            publishes: RefCell::default(),
            on_change: Box::new(on_change),
        });
        inner.watch_page();
        inner.happen(Event::Started);
        Self(inner)
    }

    /// Listens until [`RelayLink::unsubscribe`]. Survives every reconnect.
    pub fn subscribe(&self, wish: Wish, ears: Ears) -> ListenerId {
        let id = ListenerId(self.0.next_id());
        self.0.listeners.borrow_mut().insert(id, Rc::new(ears));
        self.0.happen_soon(Event::Subscribe(id, wish));
        id
    }

    /// Ends a subscription; unknown ids are passed over.
    pub fn unsubscribe(&self, id: ListenerId) {
        // From now on nothing is delivered, whatever is on its way.
        if self.0.listeners.borrow_mut().remove(&id).is_some() {
            self.0.happen_soon(Event::Unsubscribe(id));
        }
    }

    /// Publishes: over the socket when connected, else with a request. `settle` is called once.
    pub fn publish(&self, channel: &Channel, payload: Payload, settle: Settle) {
        let id = PublishId(self.0.next_id());
        let unsettled = Unsettled { channel: channel.clone(), payload: payload.clone(), settle };
        self.0.publishes.borrow_mut().insert(id, unsettled);
        self.0.happen_soon(Event::Publish { id, channel: channel.clone(), payload });
    }

    /// Names this tab.
    pub fn uuid(&self) -> Rc<str> {
        Rc::clone(&self.0.uuid)
    }
}

impl Inner {
    fn next_id(&self) -> u64 {
        self.next_id.replace(self.next_id.get() + 1)
    }

    /// Takes in an event and does at once what follows from it.
    fn happen(self: &Rc<Self>, event: Event) {
        self.note(event);
        self.act();
    }

    /// Takes in an event; what follows from it is done when the caller has returned.
    fn happen_soon(self: &Rc<Self>, event: Event) {
        self.note(event);
        let this = Rc::clone(self);
        wasm_bindgen_futures::spawn_local(async move { this.act() });
    }

    fn note(&self, event: Event) {
        let actions = self.session.borrow_mut().handle(event, now(), js_sys::Math::random());
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
            Action::Disconnect => self.transport.disconnect(),
            Action::Send(text) => self.transport.send(&text),
            Action::Deliver { listener, message, is_recovered } => {
                if let Some(listener) = self.listener(listener) {
                    (listener.on_message)(&message, is_recovered);
                }
            }
            Action::Tell(listener, news) => {
                if let Some(listener) = self.listener(listener) {
                    (listener.on_news)(news);
                }
            }
            Action::Refused(failure) => {
                let text = ["A subscription was refused: ", &failure.error, " (", failure.code.as_str(), ")"];
                complain(&text.concat());
            }
            Action::ClusterMode(is_cluster_mode) => (self.on_change)(Change::ClusterMode(is_cluster_mode)),
            Action::Username(username) => (self.on_change)(Change::Username(username)),
            Action::State(state) => {
                (self.on_change)(Change::State(state));
                // The session is over, most likely.
                if state == State::Stopped {
                    self.ask_username();
                }
            }
            Action::Settle(id, outcome) => self.settle(id, outcome),
        }
    }

    /// Asks who is signed in, where no socket will say it.
    fn ask_username(self: &Rc<Self>) {
        let this = Rc::clone(self);
        wasm_bindgen_futures::spawn_local(async move {
            if let Some(username) = request::username().await {
                (this.on_change)(Change::Username(username));
            }
        });
    }

    fn listener(&self, id: ListenerId) -> Option<Rc<Ears>> {
        self.listeners.borrow().get(&id).cloned()
    }

    fn connect(self: &Rc<Self>) {
        let this = Rc::clone(self);
        let hear = move |said| {
            this.happen(match said {
                Said::Opened => Event::Opened,
                Said::Text(text) => Event::Text(text),
                Said::Closed(code) => Event::Closed { code },
            });
        };
        let this = Rc::clone(self);
        let change = move || {
            let is_idle = this.publishes.borrow().is_empty();
            if is_idle {
                this.transport.disconnect();
                this.happen(Event::Closed { code: close::RESTART });
            }
            is_idle
        };
        if !self.transport.connect(Rc::new(hear), Rc::new(change)) {
            self.note(Event::Closed { code: NEVER_OPENED });
        }
    }

    fn settle(&self, id: PublishId, outcome: Outcome) {
        let Some(Unsettled { channel, payload, settle }) = self.publishes.borrow_mut().remove(&id) else { return };
        let error = match outcome {
            Outcome::Taken(receipt) => return settle(Ok(receipt)),
            // It never left this tab, so that a request cannot make it a second message.
            Outcome::Unsent => {
                let uuid = Rc::clone(&self.uuid);
                return wasm_bindgen_futures::spawn_local(async move {
                    settle(request::publish(&channel, payload, &uuid).await);
                });
            }
            Outcome::Refused(failure) => PublishError::Refused { code: failure.code, message: failure.error },
            Outcome::QueueFull => PublishError::QueueFull,
            Outcome::ConnectionLost => PublishError::ConnectionLost,
            Outcome::TimedOut => PublishError::TimedOut,
        };
        settle(Err(error));
    }

    /// Sets a timer for when the session wants to be woken. One that rings too early does no harm, so
    /// that none is ever cancelled.
    fn set_timer(self: &Rc<Self>) {
        let Some(wake_at) = self.session.borrow().wake_at() else { return };
        if self.wakes_at.get().is_some_and(|set| set <= wake_at) {
            return;
        }
        self.wakes_at.set(Some(wake_at));
        let pause = wake_at.saturating_sub(now()).as_millis().saturating_add(1);
        let this = Rc::clone(self);
        Timeout::new(u32::try_from(pause).unwrap_or(u32::MAX), move || {
            if this.wakes_at.get() == Some(wake_at) {
                this.wakes_at.set(None);
            }
            this.happen(Event::Woke);
        })
        .forget();
    }

    /// Hears of the network, and when the page is seen again.
    fn watch_page(self: &Rc<Self>) {
        let this = Rc::clone(self);
        watch_outlook(move |outlook| {
            match outlook {
                Outlook::Online => this.transport.try_socket(),
                // Much may have happened since it was put aside.
                Outlook::Restored => this.ask_username(),
                Outlook::Seen | Outlook::Offline => {}
            }
            this.happen(if outlook == Outlook::Offline { Event::Discouraged } else { Event::Encouraged });
        });
    }
}
