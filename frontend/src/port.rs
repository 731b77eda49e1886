//! Fills the application's port to the relay with the client's link.

use std::{rc::Rc, sync::Arc};

use app::cluster::{Delivery, Link, LinkState, Meta, News, OwnMessages, Settle, Subscription, SubscriptionId};
use client::{
    js,
    link::{Change, Ears, RelayLink},
    session::{self, ListenerId, Own, State, Wish},
};
use leptos::prelude::{ArcReadSignal, ArcRwSignal, Set};
use wire::{BroadcastFrame, Channel, Payload};

/// The tab's link to the relay, with its state as signals.
pub struct Port {
    link: Rc<RelayLink>,
    cluster_mode: ArcRwSignal<bool>,
    state: ArcRwSignal<LinkState>,
    username: ArcRwSignal<Option<Arc<str>>>,
}

impl Port {
    /// Connects, for as long as the page lives; plain scripts share the link.
    pub fn start(uuid: Rc<str>, is_cluster_mode: bool) -> Self {
        let (cluster_mode, state) = (ArcRwSignal::new(is_cluster_mode), ArcRwSignal::new(LinkState::Connecting));
        let username = ArcRwSignal::new(None);
        let (mode_now, state_now, username_now) = (cluster_mode.clone(), state.clone(), username.clone());
        let link = Rc::new(RelayLink::start(uuid, move |change| {
            match &change {
                Change::ClusterMode(is_cluster_mode) => mode_now.set(*is_cluster_mode),
                Change::State(state) => state_now.set(link_state(*state)),
                Change::Username(username) => username_now.set(Some(username.as_str().into())),
            }
            js::tell(change);
        }));
        js::attach(&link);
        Self { link, cluster_mode, state, username }
    }
}

impl Link for Port {
    fn subscribe(&self, Subscription { pattern, own, since, on_message, on_news }: Subscription) -> SubscriptionId {
        let own = match own {
            OwnMessages::Hear => Own::Hear,
            OwnMessages::Omit => Own::Omit,
        };
        let ears = Ears {
            on_message: Rc::new(move |message, is_recovered| on_message(&delivery(message, is_recovered))),
            on_news: Rc::new(move |news| {
                on_news(match news {
                    session::News::Stands => News::Subscribed,
                    session::News::Gap => News::Gap,
                });
            }),
        };
        let ListenerId(id) = self.link.subscribe(Wish { pattern, own, since }, ears);
        SubscriptionId(id)
    }

    fn unsubscribe(&self, SubscriptionId(id): SubscriptionId) {
        self.link.unsubscribe(ListenerId(id));
    }

    fn publish(&self, channel: &Channel, payload: Payload, settle: Settle) {
        self.link.publish(channel, payload, settle);
    }

    fn uuid(&self) -> Rc<str> {
        self.link.uuid()
    }

    fn cluster_mode(&self) -> ArcReadSignal<bool> {
        self.cluster_mode.read_only()
    }

    fn state(&self) -> ArcReadSignal<LinkState> {
        self.state.read_only()
    }

    fn username(&self) -> ArcReadSignal<Option<Arc<str>>> {
        self.username.read_only()
    }
}

fn link_state(state: State) -> LinkState {
    match state {
        State::Connecting => LinkState::Connecting,
        State::Connected => LinkState::Connected,
        State::Reconnecting => LinkState::Reconnecting,
        State::Stopped => LinkState::Stopped,
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
            unordered: message.position.is_none(),
        },
    }
}
