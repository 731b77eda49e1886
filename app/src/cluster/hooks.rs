//! What components use to hear messages and to know how the link is doing.

use std::{
    rc::Rc,
    sync::atomic::{AtomicBool, Ordering},
};

use leptos::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Delivery, LinkState, Meta, SubscribeOptions, Subscription, TypedChannel,
    link::{self, News},
};

/// Calls `callback` with each message of `channel`, once and in order, for as long as the component
/// lives. Begins after hydration; what is missed while the link is lost follows when it is back.
///
/// `callback` runs with the component's context. A payload that is no `T` is passed over; the console
/// says so once.
///
/// On the server, nothing happens.
///
/// ```
/// use app::{channel, cluster::{SubscribeOptions, TypedChannel, use_broadcast}};
/// use leptos::prelude::*;
/// # #[derive(serde::Deserialize)] struct Note { text: String }
/// const NOTE: TypedChannel<Note> = channel!("view:myApp:note:sent");
///
/// #[component]
/// fn LastNote() -> impl IntoView {
///     let last = RwSignal::new(String::new());
///     use_broadcast(NOTE, SubscribeOptions::default(), move |note, _| last.set(note.text));
///     view! { <output>{last}</output> }
/// }
/// ```
pub fn use_broadcast<T: DeserializeOwned + 'static>(
    channel: TypedChannel<T>,
    options: SubscribeOptions,
    callback: impl Fn(T, Meta) + 'static,
) {
    let callback = Rc::new(callback);
    let owner = Owner::current();
    Effect::new(move || {
        let Some(link) = link::installed() else { return };
        let callback = Rc::clone(&callback);
        let read = Reader::default();
        let owner = owner.clone();
        let id = link.subscribe(Subscription {
            pattern: (&channel.channel()).into(),
            own: options.own,
            since: None,
            on_message: Rc::new(move |delivery| {
                if let Some(message) = read.read(delivery) {
                    let call = || untrack(|| callback(message, delivery.meta.clone()));
                    match &owner {
                        Some(owner) => owner.with(call),
                        None => call(),
                    }
                }
            }),
            on_news: Rc::new(|_: News| {}),
        });
        on_cleanup(move || {
            if let Some(link) = link::installed() {
                link.unsubscribe(id);
            }
        });
    });
}

/// Whether a broadcast made now reaches the other instances; follows live.
///
/// On the server, as the instance has it at this moment; the browser begins with that same value.
pub fn use_cluster_mode() -> Signal<bool> {
    let rendered = SharedValue::new(current_cluster_mode).into_inner();
    let live = link::installed().map(|link| link.cluster_mode());
    let is_alive = use_is_alive();
    Signal::derive(move || match &live {
        Some(live) if is_alive.get() => live.get(),
        _ => rendered,
    })
}

/// How the tab's socket is doing; follows live.
///
/// On the server, and until the page came to life, [`LinkState::Connecting`].
pub fn use_link_state() -> Signal<LinkState> {
    let live = link::installed().map(|link| link.state());
    let is_alive = use_is_alive();
    Signal::derive(move || match &live {
        Some(live) if is_alive.get() => live.get(),
        _ => LinkState::Connecting,
    })
}

/// Who is signed in, by name: as rendered, then as the server says. The session may end elsewhere, and a page may come
/// back from the browser's back/forward cache.
///
/// On the server, and until the page came to life, `rendered`; `None` is a guest.
pub fn use_username(rendered: Option<String>) -> Signal<Option<String>> {
    let live = link::installed().map(|link| link.username());
    let is_alive = use_is_alive();
    let username = move |_: Option<&Option<String>>| {
        let live = live.as_ref().filter(|_| is_alive.get()).and_then(|live| live.get());
        match live {
            Some(username) if username.is_empty() => None,
            Some(username) => Some(username.to_string()),
            None => rendered.clone(),
        }
    };
    Memo::new(username).into()
}

/// Whether hydration is over, so that a value may differ from the rendered one.
fn use_is_alive() -> ReadSignal<bool> {
    let is_hydrating = Owner::current_shared_context().is_some_and(|shared| shared.during_hydration());
    let (is_alive, set_alive) = signal(!is_hydrating && cfg!(feature = "hydrate"));
    // Effects run after hydration, and never on the server.
    Effect::new(move || set_alive.set(true));
    is_alive
}

#[cfg(feature = "ssr")]
pub(super) fn current_cluster_mode() -> bool {
    use_context::<crate::ports::Ports>().is_some_and(|ports| ports.cluster.status().is_redis_available)
}

#[cfg(not(feature = "ssr"))]
fn current_cluster_mode() -> bool {
    link::installed().is_some_and(|link| link.cluster_mode().get_untracked())
}

/// Turns payloads into values, and complains once about those that are none.
#[derive(Default)]
pub(super) struct Reader {
    has_complained: AtomicBool,
}

impl Reader {
    pub(super) fn read<T: DeserializeOwned>(&self, delivery: &Delivery) -> Option<T> {
        match serde_json::from_value(Value::Object(delivery.data.clone())) {
            Ok(message) => Some(message),
            Err(error) => {
                if !self.has_complained.swap(true, Ordering::Relaxed) {
                    leptos::logging::error!("A message on {} was passed over: {error}", delivery.meta.channel);
                }
                None
            }
        }
    }
}
