//! What goes into a session and what comes out.

use std::rc::Rc;

use wire::{BroadcastFrame, Channel, Failure, Payload};

use super::{ListenerId, News, Outcome, PublishId, Wish};

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The page is ready.
    Started,
    /// The socket stands.
    Opened,
    /// The socket is gone, or never stood.
    Closed {
        /// As the socket says.
        code: u16,
    },
    /// A frame came.
    Text(String),
    /// The moment of [`Session::wake_at`](super::Session::wake_at) has come.
    Woke,
    /// The network is back, or the page is seen again: now is a good time.
    Encouraged,
    /// The browser says that it has no network: the other end may not hear us.
    Discouraged,
    /// Somebody wants to hear messages.
    Subscribe(ListenerId, Wish),
    /// Somebody does not any more.
    Unsubscribe(ListenerId),
    /// Somebody says something.
    Publish {
        /// Names it in the outcome.
        id: PublishId,
        /// Where.
        channel: Channel,
        /// What.
        payload: Payload,
    },
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Open a socket.
    Connect,
    /// Drop the socket, without waiting for it to close.
    Disconnect,
    /// Send a text frame.
    Send(String),
    /// Hand a message to a listener.
    Deliver {
        /// To whom.
        listener: ListenerId,
        /// What.
        message: Rc<BroadcastFrame>,
        /// Whether it was missed first.
        is_recovered: bool,
    },
    /// Tell a listener how its subscription does.
    Tell(ListenerId, News),
    /// The server will not have a subscription.
    Refused(Failure),
    /// The link between the instances came or went.
    ClusterMode(bool),
    /// The socket came or went.
    State(State),
    /// Who the server takes this tab's visitor for, when that is known and when it changes; empty for a guest.
    Username(String),
    /// A publish is over.
    Settle(PublishId, Outcome),
}

/// How the socket is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not there for the first time yet.
    Connecting,
    /// There.
    Connected,
    /// Lost, and on the way back.
    Reconnecting,
    /// Given up.
    Stopped,
}
