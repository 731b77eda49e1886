//! Loading data again when messages about it were lost, or came without an order.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use leptos::prelude::*;

use super::{Meta, link};
use repair::Repair;

mod clock;
mod repair;

/// Loads data again until a load succeeds: after a gap, after a load that failed, and when the cluster is back after
/// messages that came without an order ([`Meta::unordered`]). A [`LiveResource`](super::LiveResource) has its own; this
/// is for what keeps a state by itself. Copies share it. It ends with the component that made it.
///
/// On the server, nothing happens.
///
/// ```
/// use app::{channel, cluster::{Meta, Repairs, SubscribeOptions, TypedChannel, use_broadcast}};
/// use leptos::{prelude::*, task::spawn_local};
///
/// const COUNTED: TypedChannel<u32> = channel!("view:myApp:count:changed");
///
/// # async fn load_count() -> Result<u32, ServerFnError> { Ok(0) }
/// fn use_count() -> RwSignal<u32> {
///     let count = RwSignal::new(0);
///     let repairs = Repairs::new(move |repairs| {
///         spawn_local(async move { repairs.ended(load_count().await.map(|loaded| count.set(loaded))) });
///     });
///     use_broadcast(COUNTED, SubscribeOptions::default(), move |now, meta| {
///         count.set(now);
///         repairs.applied(&meta);
///     });
///     count
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Repairs(StoredValue<Arc<Inner>>);

struct Inner {
    load: Box<dyn Fn(Repairs) + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    repair: Repair,
    /// The earliest moment a timer is set for.
    wakes_at: Option<Duration>,
}

impl Repairs {
    /// Calls `load` when the data is to be loaded; it says how that ended with [`Repairs::ended`].
    pub fn new(load: impl Fn(Self) + Send + Sync + 'static) -> Self {
        let repairs = Self(StoredValue::new(Arc::new(Inner { load: Box::new(load), state: Mutex::default() })));
        if let Some(cluster_mode) = link::installed().map(|link| link.cluster_mode()) {
            Effect::new(move || {
                let is_cluster = cluster_mode.get();
                repairs.note(|repair, now, dice| repair.cluster_mode(is_cluster, now, dice));
            });
        }
        repairs
    }

    /// Messages were lost for good. The tabs of a cluster learn of it in the same moment, so each waits up to 3 s.
    pub fn lost(self) {
        self.note(Repair::lost);
    }

    /// A message was applied to the data.
    pub fn applied(self, meta: &Meta) {
        self.note(|repair, now, dice| repair.applied(meta.unordered, now, dice));
    }

    /// A load ended, whoever began it. After one that failed comes another.
    pub fn ended<T, E>(self, outcome: Result<T, E>) {
        self.note(|repair, now, dice| if outcome.is_ok() { repair.loaded() } else { repair.failed(now, dice) });
    }

    /// Takes in what happened, and sets a timer for when the repair wants to load.
    fn note(self, happened: impl FnOnce(&mut Repair, Duration, f64)) {
        let Some(inner) = self.0.try_get_value().filter(|_| link::installed().is_some()) else { return };
        let now = clock::now();
        let wake_at = {
            let mut state = inner.state.lock().unwrap_or_else(PoisonError::into_inner);
            happened(&mut state.repair, now, clock::dice());
            match state.repair.wake_at() {
                Some(wake_at) if state.wakes_at.is_none_or(|set| wake_at < set) => {
                    state.wakes_at = Some(wake_at);
                    wake_at
                }
                _ => return,
            }
        };
        // One that rings too early does no harm, so that none is cancelled.
        set_timeout(move || self.woke(wake_at), wake_at.saturating_sub(now));
    }

    fn woke(self, set_for: Duration) {
        // Gone with its component.
        let Some(inner) = self.0.try_get_value() else { return };
        let must_load = {
            let mut state = inner.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.wakes_at == Some(set_for) {
                state.wakes_at = None;
            }
            state.repair.take(clock::now().max(set_for))
        };
        if must_load {
            (inner.load)(self);
        } else {
            self.note(|_, _, _| {});
        }
    }
}
