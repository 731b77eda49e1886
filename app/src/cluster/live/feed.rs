//! Keeps one [`LiveResource`](super::LiveResource) current.

use std::{
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use wire::{Channel, Position};

use crate::cluster::{
    Delivery, LinkState, OwnMessages, Repairs, Subscription, SubscriptionId,
    answer::Answer,
    link::{self, News},
};

/// How long a first load in the browser waits for its subscriptions before it goes ahead without
/// them; it is then repeated when they stand.
const SUBSCRIBE_WITHIN: Duration = Duration::from_secs(2);
/// Messages kept for the data being loaded; with more, it is loaded again instead.
const KEPT_MESSAGES: usize = 1_000;

/// The data with the positions its channels had before it was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Loaded<T, E> {
    pub(super) positions: Vec<Option<Position>>,
    pub(super) outcome: Result<T, E>,
}

/// A channel and how its messages change the data.
pub(super) struct Source<T> {
    pub(super) channel: Channel,
    pub(super) apply: Apply<T>,
}

/// What a message does to the data.
pub(super) type Apply<T> = Box<dyn Fn(&mut T, &Delivery) + Send + Sync>;

/// Loads the data.
pub(super) type Fetch<T, E> = Box<dyn Fn() -> Fetching<T, E> + Send + Sync>;

/// A load under way.
type Fetching<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Subscribes, loads and applies.
pub(super) struct Feed<T: Send + Sync + 'static, E: Send + Sync + 'static> {
    sources: Vec<Source<T>>,
    own: OwnMessages,
    fetch: Fetch<T, E>,
    first: OnceLock<Resource<Loaded<T, E>>>,
    live: RwSignal<Option<Result<T, E>>>,
    owner: Option<Owner>,
    repairs: OnceLock<Repairs>,
    state: Mutex<State>,
    stands: Answer<()>,
}

/// Where the subscriptions and loads stand.
#[derive(Default)]
struct State {
    subscriptions: Vec<SubscriptionId>,
    /// By source, whether the subscription stood once.
    stood: Vec<bool>,
    /// Counts loads; only the latest one counts.
    load: u64,
    is_loading: bool,
    /// Whether the data may lack messages, so that it is to be loaded again once subscribed.
    is_stale: bool,
    /// What arrived since the load began, by source.
    kept: Vec<(usize, Delivery)>,
    /// Whether that was more than is kept.
    has_overflowed: bool,
}

impl<T, E> Feed<T, E>
where
    T: Clone + Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    pub(super) fn new(
        sources: Vec<Source<T>>,
        own: OwnMessages,
        fetch: Fetch<T, E>,
        live: RwSignal<Option<Result<T, E>>>,
    ) -> Self {
        Self {
            sources,
            own,
            fetch,
            first: OnceLock::new(),
            live,
            owner: Owner::current(),
            repairs: OnceLock::new(),
            state: Mutex::default(),
            stands: Answer::new(),
        }
    }

    /// On the server: the positions, then the data.
    #[cfg(feature = "ssr")]
    pub(super) async fn first_load(self: Arc<Self>) -> Loaded<T, E> {
        let mut positions = Vec::with_capacity(self.sources.len());
        let ports = use_context::<crate::ports::Ports>();
        for source in &self.sources {
            positions.push(match &ports {
                Some(ports) => ports.cluster.position(&source.channel).await,
                None => None,
            });
        }
        Loaded { positions, outcome: (self.fetch)().await }
    }

    /// In the browser, when nothing was rendered: the subscriptions, then the data.
    #[cfg(not(feature = "ssr"))]
    pub(super) async fn first_load(self: Arc<Self>) -> Loaded<T, E> {
        if self.subscribe(&[]) {
            self.stands.clone().await;
        }
        let outcome = Arc::clone(&self).load().await.unwrap_or_else(|superseded| superseded);
        Loaded { positions: Vec::new(), outcome }
    }

    /// Once hydration is over, subscribes behind the rendered data.
    pub(super) fn follow(self: &Arc<Self>, first: Resource<Loaded<T, E>>) {
        // Set here and nowhere else.
        let _ = self.first.set(first);
        let feed = Arc::clone(self);
        Effect::new(move || {
            let positions = first.with(|loaded| loaded.as_ref().map(|loaded| loaded.positions.clone()));
            if let Some(positions) = positions {
                untrack(|| feed.subscribe(&positions));
            }
        });
        let feed = Arc::downgrade(self);
        let repairs = Repairs::new(move |_| {
            if let Some(feed) = feed.upgrade() {
                feed.reload();
            }
        });
        // Set here and nowhere else.
        let _ = self.repairs.set(repairs);
        let feed = Arc::clone(self);
        on_cleanup(move || {
            let subscriptions = std::mem::take(&mut feed.state().subscriptions);
            if let Some(link) = link::installed() {
                for id in subscriptions {
                    link.unsubscribe(id);
                }
            }
        });
    }

    /// Subscribes behind `positions`, unless that was done before. Whether it is worth waiting for
    /// [`Feed::stands`], which is settled in any case.
    fn subscribe(self: &Arc<Self>, positions: &[Option<Position>]) -> bool {
        let Some(link) = link::installed() else { return false };
        {
            let mut state = self.state();
            if !state.stood.is_empty() {
                return false;
            }
            state.stood = vec![false; self.sources.len()];
            // Without a position, what was published since the data was read is unknown.
            state.is_stale = (0..self.sources.len()).any(|index| positions.get(index).is_none_or(Option::is_none));
        }
        for (index, source) in self.sources.iter().enumerate() {
            let (on_message, on_news) = (Arc::downgrade(self), Arc::downgrade(self));
            let id = link.subscribe(Subscription {
                pattern: (&source.channel).into(),
                own: self.own,
                since: positions.get(index).cloned().flatten(),
                on_message: Rc::new(move |delivery| {
                    if let Some(feed) = on_message.upgrade() {
                        feed.arrived(index, delivery);
                    }
                }),
                on_news: Rc::new(move |news| {
                    if let Some(feed) = on_news.upgrade() {
                        feed.hear(index, news);
                    }
                }),
            });
            self.state().subscriptions.push(id);
        }
        if !positions.is_empty() || link.state().get_untracked() != LinkState::Connected {
            return false;
        }
        let stands = self.stands.clone();
        set_timeout(move || stands.settle(()), SUBSCRIBE_WITHIN);
        true
    }

    fn arrived(&self, index: usize, delivery: &Delivery) {
        {
            let mut state = self.state();
            if state.is_loading && state.kept.len() < KEPT_MESSAGES {
                state.kept.push((index, delivery.clone()));
            } else if state.is_loading {
                state.has_overflowed = true;
            }
        }
        self.change(|data| (self.sources[index].apply)(data, delivery));
        if let Some(repairs) = self.repairs.get() {
            repairs.applied(&delivery.meta);
        }
    }

    fn hear(self: &Arc<Self>, index: usize, news: News) {
        let must_reload = {
            let mut state = self.state();
            state.stood[index] = true;
            let all_stand = state.stood.iter().all(|stood| *stood);
            if all_stand {
                self.stands.settle(());
            }
            // A load that waits for its subscriptions, or that began after them, lacks nothing.
            let waits = state.load == 0 && self.is_first_pending();
            let is_stale = news == News::Gap || state.is_stale;
            state.is_stale = is_stale && (waits || !all_stand) && news != News::Gap;
            is_stale && !waits && (all_stand || news == News::Gap)
        };
        match news {
            _ if !must_reload => {}
            News::Gap => self.lost(),
            News::Subscribed => self.reload(),
        }
    }

    /// Messages were lost: loads again, soon.
    fn lost(&self) {
        if let Some(repairs) = self.repairs.get() {
            repairs.lost();
        }
    }

    /// Loads again in the background.
    pub(super) fn reload(self: &Arc<Self>) {
        if cfg!(feature = "ssr") {
            return;
        }
        let feed = Arc::clone(self);
        let reload = move || {
            leptos::task::spawn(async move {
                let replacement = Arc::clone(&feed).load().await;
                if let Ok(outcome) = replacement {
                    feed.replace(outcome);
                }
            });
        };
        match &self.owner {
            Some(owner) => owner.with(reload),
            None => reload(),
        }
    }

    /// Loads, and applies what arrived meanwhile. `Err` with the outcome when a later load began.
    async fn load(self: Arc<Self>) -> Result<Result<T, E>, Result<T, E>> {
        let load = {
            let mut state = self.state();
            state.load += 1;
            state.is_loading = true;
            state.has_overflowed = false;
            state.kept.clear();
            state.load
        };
        let mut outcome = (self.fetch)().await;
        let (kept, has_overflowed) = {
            let mut state = self.state();
            if state.load != load {
                return Err(outcome);
            }
            state.is_loading = false;
            (std::mem::take(&mut state.kept), state.has_overflowed)
        };
        if has_overflowed {
            self.lost();
        }
        if let Ok(data) = &mut outcome {
            for (index, delivery) in &kept {
                (self.sources[*index].apply)(data, delivery);
            }
        }
        Ok(outcome)
    }

    /// Shows reloaded data. A failed reload leaves what is shown, and is tried again.
    fn replace(&self, outcome: Result<T, E>) {
        if let Some(repairs) = self.repairs.get() {
            repairs.ended(outcome.as_ref());
        }
        if outcome.is_err() && self.is_data_shown() {
            return;
        }
        self.live.try_update(|live| *live = Some(outcome));
    }

    /// Changes the data shown, if there is any.
    pub(super) fn change(&self, change: impl FnOnce(&mut T)) {
        self.live.try_maybe_update(|live| {
            if live.is_none() {
                *live = self.first_outcome();
            }
            let data = live.as_mut().and_then(|outcome| outcome.as_mut().ok());
            (data.map(change).is_some(), ())
        });
    }

    fn first_outcome(&self) -> Option<Result<T, E>> {
        // Through the underlying signal: the resource itself warns of reads outside of `Suspense`.
        let first: &AsyncDerived<Loaded<T, E>> = self.first.get()?;
        first.try_with_untracked(|first| first.as_ref().map(|loaded| loaded.outcome.clone())).flatten()
    }

    fn is_first_pending(&self) -> bool {
        self.first_outcome().is_none()
    }

    fn is_data_shown(&self) -> bool {
        let live = self.live.try_with_untracked(|live| live.as_ref().map(Result::is_ok)).flatten();
        live.unwrap_or_else(|| self.first_outcome().is_some_and(|outcome| outcome.is_ok()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
