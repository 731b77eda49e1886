//! The port to the relay, which the browser crate fills.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use leptos::prelude::ArcReadSignal;
use wire::{Channel, Pattern, Payload, Position, PublishError, Receipt};

use super::{Delivery, OwnMessages};

/// The tab's one connection to the relay.
///
/// Single-threaded, as a browser's page is. Nothing here calls back before it has returned.
pub trait Link {
    /// Listens until [`Link::unsubscribe`]. Survives every reconnect.
    fn subscribe(&self, subscription: Subscription) -> SubscriptionId;
    /// Ends a subscription; unknown ids are passed over.
    fn unsubscribe(&self, id: SubscriptionId);
    /// Publishes: over the socket when connected, else with a request. `settle` is called once.
    fn publish(&self, channel: &Channel, payload: Payload, settle: Settle);
    /// Names this tab.
    fn uuid(&self) -> Rc<str>;
    /// Whether a broadcast made now reaches other instances.
    fn cluster_mode(&self) -> ArcReadSignal<bool>;
    /// How the socket is doing.
    fn state(&self) -> ArcReadSignal<LinkState>;
    /// Who the server takes this tab's visitor for; empty for a guest, `None` before it said so.
    fn username(&self) -> ArcReadSignal<Option<Arc<str>>>;
}

/// Hears what became of a published message.
pub type Settle = Box<dyn FnOnce(Result<Receipt, PublishError>)>;

/// What somebody wants to hear.
pub struct Subscription {
    /// One channel, or all that match.
    pub pattern: Pattern,
    /// Whether this tab's own messages are wanted.
    pub own: OwnMessages,
    /// Begin behind this position instead of with the next message. Not for wildcards.
    pub since: Option<Position>,
    /// Called with each message once, in the order of the channel's log.
    pub on_message: Rc<dyn Fn(&Delivery)>,
    /// Called when the subscription stands, and when messages were lost.
    pub on_news: Rc<dyn Fn(News)>,
}

/// What befalls a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It stands, and everything behind its last position follows: nothing was missed.
    Subscribed,
    /// Messages were lost and cannot be had any more: the document in the store is the truth.
    Gap,
}

/// Names a subscription of this tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId(pub u64);

/// How the tab's socket is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// Not connected yet.
    #[default]
    Connecting,
    /// Connected; what is published arrives.
    Connected,
    /// Lost; trying again. What is missed meanwhile follows.
    Reconnecting,
    /// Given up: the session is over, or this user may not connect.
    Stopped,
}

thread_local! {
    static LINK: RefCell<Option<Rc<dyn Link>>> = const { RefCell::new(None) };
}

/// Fills the port; called once, before hydration.
pub fn install(link: Rc<dyn Link>) {
    LINK.with(|installed| *installed.borrow_mut() = Some(link));
}

/// What fills the port. On the server, `None`.
pub fn installed() -> Option<Rc<dyn Link>> {
    LINK.with(|installed| installed.borrow().clone())
}
