//! Runs the session over a socket, or what does its work, with the browser's clock and dice, and fills
//! the application's port to the relay.

pub(crate) mod request;
mod transport;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    time::Duration,
};

use app::cluster::{
    Delivery, Link, LinkState, Meta, News, OwnMessages, PublishError, Settle, Subscription, SubscriptionId,
};
use gloo_timers::callback::Timeout;
use js_sys::Reflect;
use leptos::prelude::{ArcReadSignal, ArcRwSignal, Set};
use wasm_bindgen::{JsCast, closure::Closure};
use wire::{BroadcastFrame, Channel, Payload, close};

use crate::{
    js,
    session::{self, Action, Event, ListenerId, Outcome, Own, PublishId, Session, State, Wish},
    socket::Said,
};
use transport::Transport;

/// What browsers say of a socket that never opened.
const NEVER_OPENED: u16 = 1006;

/// The tab's link to the relay.
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
    listeners: RefCell<BTreeMap<ListenerId, Rc<Subscription>>>,
    publishes: RefCell<BTreeMap<PublishId, Unsettled>>,
    cluster_mode: ArcRwSignal<bool>,
    state: ArcRwSignal<LinkState>,
}

struct Unsettled {
    channel: Channel,
    payload: Payload,
    settle: Settle,
}

impl RelayLink {
    /// Connects, for as long as the page lives.
    pub fn start(uuid: Rc<str>, is_cluster_mode: bool) -> Self {
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
            cluster_mode: ArcRwSignal::new(is_cluster_mode),
            state: ArcRwSignal::new(LinkState::Connecting),
        });
        inner.watch_page();
        inner.happen(Event::Started);
        Self(inner)
    }
}

impl Link for RelayLink {
    fn subscribe(&self, subscription: Subscription) -> SubscriptionId {
        let id = self.0.next_id();
        let own = match subscription.own {
            OwnMessages::Hear => Own::Hear,
            OwnMessages::Omit => Own::Omit,
        };
        let wish = Wish { pattern: subscription.pattern.clone(), own, since: subscription.since.clone() };
        self.0.listeners.borrow_mut().insert(ListenerId(id), Rc::new(subscription));
        self.0.happen_soon(Event::Subscribe(ListenerId(id), wish));
        SubscriptionId(id)
    }

    fn unsubscribe(&self, SubscriptionId(id): SubscriptionId) {
        // From now on nothing is delivered, whatever is on its way.
        if self.0.listeners.borrow_mut().remove(&ListenerId(id)).is_some() {
            self.0.happen_soon(Event::Unsubscribe(ListenerId(id)));
        }
    }

    fn publish(&self, channel: &Channel, payload: Payload, settle: Settle) {
        let id = PublishId(self.0.next_id());
        let unsettled = Unsettled { channel: channel.clone(), payload: payload.clone(), settle };
        self.0.publishes.borrow_mut().insert(id, unsettled);
        self.0.happen_soon(Event::Publish { id, channel: channel.clone(), payload });
    }

    fn uuid(&self) -> Rc<str> {
        Rc::clone(&self.0.uuid)
    }

    fn cluster_mode(&self) -> ArcReadSignal<bool> {
        self.0.cluster_mode.read_only()
    }

    fn state(&self) -> ArcReadSignal<LinkState> {
        self.0.state.read_only()
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
                    (listener.on_message)(&delivery(&message, is_recovered));
                }
            }
            Action::Tell(listener, news) => {
                if let Some(listener) = self.listener(listener) {
                    (listener.on_news)(match news {
                        session::News::Stands => News::Subscribed,
                        session::News::Gap => News::Gap,
                    });
                }
            }
            Action::Refused(failure) => {
                leptos::logging::error!("A subscription was refused: {} ({})", failure.error, failure.code);
            }
            Action::ClusterMode(is_cluster_mode) => {
                self.cluster_mode.set(is_cluster_mode);
                js::set_cluster_mode(is_cluster_mode);
            }
            Action::State(state) => self.state.set(match state {
                State::Connecting => LinkState::Connecting,
                State::Connected => LinkState::Connected,
                State::Reconnecting => LinkState::Reconnecting,
                State::Stopped => LinkState::Stopped,
            }),
            Action::Settle(id, outcome) => self.settle(id, outcome),
        }
    }

    fn listener(&self, id: ListenerId) -> Option<Rc<Subscription>> {
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

    /// Hears when the network is back or the page is seen again.
    fn watch_page(self: &Rc<Self>) {
        let this = Rc::clone(self);
        let encourage = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
            let is_good_news = match event.type_().as_str() {
                "visibilitychange" => !leptos::prelude::document().hidden(),
                // A page taken out of the browser's back/forward cache; any other is just beginning.
                "pageshow" => Reflect::get(&event, &"persisted".into()).is_ok_and(|persisted| persisted.is_truthy()),
                _ => true,
            };
            if event.type_() == "online" {
                this.transport.try_socket();
            }
            if is_good_news {
                this.happen(Event::Encouraged);
            }
        });
        let listener = encourage.as_ref().unchecked_ref();
        let window = leptos::prelude::window();
        for event in ["online", "pageshow", "visibilitychange"] {
            // `visibilitychange` bubbles up from the document. A browser that knows one of them not
            // still has timers.
            let _ = window.add_event_listener_with_callback(event, listener);
        }
        // The page's own.
        encourage.forget();
    }
}

fn delivery(message: &BroadcastFrame, is_recovered: bool) -> Delivery {
    Delivery {
        data: message.data.clone(),
        meta: Meta {
            channel: message.channel.clone(),
            id: message.id.clone(),
            offset: message.position.as_ref().map(|position| position.offset),
            timestamp: message.timestamp.as_str().into(),
            recovered: is_recovered,
        },
    }
}

/// Since the page began.
pub(crate) fn now() -> Duration {
    let milliseconds = leptos::prelude::window().performance().map_or_else(js_sys::Date::now, |clock| clock.now());
    Duration::from_secs_f64(milliseconds.max(0.0) / 1_000.0)
}
