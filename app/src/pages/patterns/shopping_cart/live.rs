//! A cart that follows what its owner does on other devices, and is ahead of the server's word on this one.

use std::rc::Rc;

use leptos::{prelude::*, task::spawn_local};

use super::functions::{add_to_cart, read_cart, set_in_cart};
use crate::{
    cart::{Cart, CartChange, CartNews, CartStanding, news_channel},
    cluster::{News, OwnMessages, Repairs, Subscription, installed},
    components::toast::{Level, Toasts, use_toasts},
    error::Problem,
};

/// The visitor's cart on this page.
#[derive(Clone, Copy)]
pub(super) struct LiveCart {
    first: Resource<Result<Option<CartStanding>, Problem>>,
    /// The latest the server said since; `None` until it said something.
    known: RwSignal<Option<Cart>>,
    /// What is asked for and not answered yet, in order.
    wishes: RwSignal<Vec<CartChange>>,
    /// The latest version anybody told of.
    told: StoredValue<u64>,
    is_asking: StoredValue<bool>,
    repairs: StoredValue<Option<Repairs>>,
    toasts: Toasts,
}

/// What there is to show.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Standing {
    Guest,
    Owner,
    Failed(Problem),
}

impl LiveCart {
    /// Rendered with the page; from then on kept current.
    pub(super) fn new() -> Self {
        let cart = Self {
            first: Resource::new(|| (), |()| read_cart()),
            known: RwSignal::new(None),
            wishes: RwSignal::new(Vec::new()),
            told: StoredValue::new(0),
            is_asking: StoredValue::new(false),
            repairs: StoredValue::new(None),
            toasts: use_toasts(),
        };
        cart.repairs.set_value(Some(Repairs::new(move |_| spawn_local(cart.read_again()))));
        Effect::new(move || {
            if let Some(Ok(Some(standing))) = cart.first.get() {
                cart.follow(standing);
            }
        });
        cart
    }

    /// Whose page this is; `None` while nobody knows.
    pub(super) fn standing(self) -> Option<Standing> {
        self.first.with(|first| match first.as_ref()? {
            Ok(Some(_)) => Some(Standing::Owner),
            Ok(None) => Some(Standing::Guest),
            Err(problem) => Some(Standing::Failed(*problem)),
        })
    }

    /// The cart as the visitor wishes it: what the server said, with the wishes laid over it.
    pub(super) fn shown(self) -> Cart {
        let mut cart = self.known.get().unwrap_or_else(|| self.rendered());
        self.wishes.with(|wishes| {
            for wish in wishes {
                cart.change(wish, &mut Vec::new());
            }
        });
        cart
    }

    /// Shows a change at once and asks the server for it, one after the other.
    pub(super) fn wish(self, wish: CartChange) {
        self.wishes.update(|wishes| wishes.push(wish));
        if !self.is_asking.get_value() {
            self.is_asking.set_value(true);
            spawn_local(self.ask());
        }
    }

    async fn ask(self) {
        while let Some(Some(wish)) = self.wishes.try_with_untracked(|wishes| wishes.first().cloned()) {
            let answer = match wish {
                CartChange::Add { product, .. } => add_to_cart(product.id.to_owned()).await,
                CartChange::Set { product, quantity } => {
                    set_in_cart(product.id.to_owned(), quantity.get().into()).await
                }
            };
            match answer {
                Ok(cart) => self.take(cart),
                Err(problem) => self.toasts.show(Level::Error, problem),
            }
            // Granted, it is in what the server said; refused, it is gone.
            self.wishes.try_update(|wishes| drop(wishes.remove(0)));
        }
        self.is_asking.try_set_value(false);
        self.catch_up();
    }

    /// Listens behind the position the cart was rendered with, for as long as it is on the page.
    fn follow(self, standing: CartStanding) {
        let CartStanding { cart: Cart { id, .. }, position } = standing;
        let (Some(link), Some(channel)) = (installed(), news_channel(&id)) else { return };
        let is_unknown = StoredValue::new(position.is_none());
        let id = link.subscribe(Subscription {
            pattern: (&channel).into(),
            own: OwnMessages::Hear,
            since: position,
            on_message: Rc::new(move |delivery| {
                if let Ok(CartNews { version }) = serde_json::from_value(delivery.data.clone().into()) {
                    self.told.try_update_value(|told| *told = version.max(*told));
                    self.catch_up();
                }
            }),
            on_news: Rc::new(move |news| {
                // Something may have gone unheard: the document in the store is the truth.
                if news == News::Gap || is_unknown.try_get_value() == Some(true) {
                    is_unknown.try_set_value(false);
                    spawn_local(self.read_again());
                }
            }),
        });
        on_cleanup(move || {
            if let Some(link) = installed() {
                link.unsubscribe(id);
            }
        });
    }

    /// Reads the cart again when another device is ahead. While this page waits for an answer of its own, the
    /// news may be of just that.
    fn catch_up(self) {
        let is_waiting = self.wishes.try_with_untracked(|wishes| !wishes.is_empty()).unwrap_or(true);
        if !is_waiting && self.told.try_get_value().is_some_and(|told| told > self.version()) {
            spawn_local(self.read_again());
        }
    }

    async fn read_again(self) {
        let read = read_cart().await;
        if let Some(repairs) = self.repairs.try_get_value().flatten() {
            repairs.ended(read.as_ref());
        }
        if let Ok(Some(CartStanding { cart, .. })) = read {
            let is_news = cart.version > self.version();
            // A version that nobody has is not waited for.
            self.told.try_set_value(cart.version);
            self.take(cart);
            if is_news {
                self.toasts.show(Level::Info, "Your cart was changed on another device.");
            }
        }
    }

    /// Takes what the server said, unless it said something newer before.
    fn take(self, cart: Cart) {
        if cart.version >= self.version() {
            self.known.try_set(Some(cart));
        }
    }

    fn version(self) -> u64 {
        let known = self.known.try_with_untracked(|known| known.as_ref().map(|cart| cart.version)).flatten();
        known.unwrap_or_else(|| self.rendered().version)
    }

    /// As the page was rendered with it: that never changes.
    fn rendered(self) -> Cart {
        // Through the underlying signal: the resource itself warns of reads outside of `Suspense`.
        let first: &AsyncDerived<Result<Option<CartStanding>, Problem>> = &self.first;
        let rendered = first.try_with_untracked(|first| match first {
            Some(Ok(Some(standing))) => standing.cart.clone(),
            _ => Cart::default(),
        });
        rendered.unwrap_or_default()
    }
}
