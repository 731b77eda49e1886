//! Data that loads once and then stays current.

use std::{future::Future, sync::Arc};

use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use super::{Meta, OwnMessages, TypedChannel, hooks::Reader};

use feed::{Feed, Loaded, Source};

mod feed;

/// Data that is rendered on the server, and stays current in the browser by applying the messages of
/// one or more channels to it.
///
/// Nothing falls between rendering and hydration: the data travels with the positions its channels
/// had *before* it was read, and the browser resumes from there. Loaded in the browser, it subscribes
/// first and then loads. A message may thus be applied to data that holds its change already: `apply`
/// must be idempotent. When messages were lost beyond repair, the data is loaded again while the old
/// stays in view, until a load succeeds. So it is when the cluster is back after messages that came without an order
/// ([`Meta::unordered`]): until then the last change of another instance may be missing, and an earlier one shown.
///
/// On the server, loads once.
pub struct LiveResource<T: Send + Sync + 'static, E: Send + Sync + 'static = ServerFnError> {
    /// The first load, for `Suspense` and hydration.
    first: Resource<Loaded<T, E>>,
    /// What is shown since something changed it; `None` until then.
    live: RwSignal<Option<Result<T, E>>>,
    feed: StoredValue<Arc<Feed<T, E>>>,
}

impl<T, E> LiveResource<T, E>
where
    T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
    E: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
{
    /// Loads with `fetch` and applies the messages of one channel with `apply`.
    pub fn new<C, F>(
        channel: TypedChannel<C>,
        fetch: impl Fn() -> F + Send + Sync + 'static,
        apply: impl Fn(&mut T, C, &Meta) + Send + Sync + 'static,
    ) -> Self
    where
        C: DeserializeOwned + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        LiveSources::on(channel, apply).load(fetch)
    }

    /// The data or why it could not be loaded; `None` while it loads. To be read under `Suspense` or
    /// `Transition`; follows live.
    pub fn get(&self) -> Option<Result<T, E>> {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method is not general enough over lifetimes"
        )]
        self.with(|outcome| outcome.cloned())
    }

    /// As [`LiveResource::get`], without a copy.
    pub fn with<O>(&self, read: impl FnOnce(Option<&Result<T, E>>) -> O) -> O {
        self.first.with(|first| {
            self.live.with(|live| read(live.as_ref().or_else(|| first.as_ref().map(|loaded| &loaded.outcome))))
        })
    }

    /// Changes what is shown, ahead of the server's word: nothing, while there is no data.
    pub fn update(&self, change: impl FnOnce(&mut T)) {
        if let Some(feed) = self.feed.try_get_value() {
            feed.change(change);
        }
    }

    /// Loads again. What is shown stays until the new data is there; if that fails, it stays on.
    ///
    /// On the server, nothing happens.
    pub fn refetch(&self) {
        if let Some(feed) = self.feed.try_get_value() {
            feed.reload();
        }
    }
}

impl<T: Send + Sync, E: Send + Sync> Clone for LiveResource<T, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync, E: Send + Sync> Copy for LiveResource<T, E> {}

/// The channels of a [`LiveResource`] to be, when there are several.
///
/// ```
/// use app::{channel, cluster::{LiveResource, LiveSources, TypedChannel}};
/// use leptos::prelude::*;
///
/// const UP: TypedChannel<u32> = channel!("view:myApp:count:raised");
/// const DOWN: TypedChannel<u32> = channel!("view:myApp:count:lowered");
///
/// # async fn count() -> Result<u32, ServerFnError> { Ok(0) }
/// fn live_count() -> LiveResource<u32> {
///     LiveSources::on(UP, |count: &mut u32, new, _| *count = new)
///         .also(DOWN, |count: &mut u32, new, _| *count = new)
///         .load(count)
/// }
/// ```
pub struct LiveSources<T> {
    sources: Vec<Source<T>>,
    own: OwnMessages,
}

impl<T: 'static> LiveSources<T> {
    /// The first channel, and how its messages change the data.
    pub fn on<C: DeserializeOwned + 'static>(
        channel: TypedChannel<C>,
        apply: impl Fn(&mut T, C, &Meta) + Send + Sync + 'static,
    ) -> Self {
        Self { sources: Vec::new(), own: OwnMessages::Hear }.also(channel, apply)
    }

    /// One more channel.
    #[must_use]
    pub fn also<C: DeserializeOwned + 'static>(
        mut self,
        channel: TypedChannel<C>,
        apply: impl Fn(&mut T, C, &Meta) + Send + Sync + 'static,
    ) -> Self {
        let reader = Reader::default();
        self.sources.push(Source {
            channel: channel.channel(),
            apply: Box::new(move |data, delivery| {
                if let Some(message) = reader.read(delivery) {
                    apply(data, message, &delivery.meta);
                }
            }),
        });
        self
    }

    /// What to do with messages this very tab caused; by default they are applied like all others.
    #[must_use]
    pub fn own(mut self, own: OwnMessages) -> Self {
        self.own = own;
        self
    }

    /// Loads with `fetch`, which may be called again later.
    pub fn load<E, F>(self, fetch: impl Fn() -> F + Send + Sync + 'static) -> LiveResource<T, E>
    where
        T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
        E: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let live = RwSignal::new(None);
        let feed = Arc::new(Feed::new(self.sources, self.own, Box::new(move || Box::pin(fetch())), live));
        let first = {
            let feed = Arc::clone(&feed);
            Resource::new(|| (), move |()| Arc::clone(&feed).first_load())
        };
        feed.follow(first);
        LiveResource { first, live, feed: StoredValue::new(feed) }
    }
}
