//! The only file that names the browser's `EventSource`: does a socket's work where none gets through.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
};

use futures_core::Stream;
use gloo_net::eventsource::futures::EventSource;
use gloo_timers::callback::Timeout;
use serde_json::Value;
use wasm_bindgen_futures::spawn_local;
use wire::{Channel, Payload, PublishError};

use crate::{
    browser::now,
    request,
    socket::Said,
    stream::{self, Step, Streams},
    table::Table,
};

/// How long further changes are waited for before a stream is opened, in milliseconds.
const GATHERED_FOR: u32 = 10;
/// How long a stream that has been replaced may go on, in milliseconds: what was sent over it before
/// the other one stood may still be on its way.
const KEPT_FOR: u32 = 1_000;
/// What a socket that broke off says.
const BROKEN: u16 = 1006;

/// Open or opening streams that behave as one socket. Dropped, they close and say nothing any more.
pub struct EventStream(Rc<Inner>);

struct Inner {
    uuid: Rc<str>,
    hear: Rc<dyn Fn(Said)>,
    streams: RefCell<Streams>,
    sources: RefCell<Table<u64, Source>>,
    opening: RefCell<Option<Timeout>>,
    closing: RefCell<Option<Timeout>>,
    /// What is to be published, one after the other, so that the order stays.
    publishes: RefCell<VecDeque<(Channel, Payload, Value)>>,
    is_publishing: Cell<bool>,
    is_over: Cell<bool>,
}

/// One stream of the browser's. Dropped, it closes.
struct Source(#[expect(dead_code, reason = "dropped, it closes")] EventSource);

impl EventStream {
    /// Opens a stream that tells `hear` what it says, as a socket would; `None` when the browser will
    /// not have it.
    pub fn open(uuid: &Rc<str>, hear: Rc<dyn Fn(Said)>) -> Option<Self> {
        let inner = Rc::new(Inner {
            uuid: Rc::clone(uuid),
            hear,
            streams: RefCell::new(Streams::new(Rc::clone(uuid))),
            sources: RefCell::default(),
            opening: RefCell::default(),
            closing: RefCell::default(),
            publishes: RefCell::default(),
            is_publishing: Cell::new(false),
            is_over: Cell::new(false),
        });
        inner.open().then_some(Self(inner))
    }

    /// Does what a frame of the session asks for. Answers come later, as a socket's do.
    pub fn send(&self, text: &str) {
        let step = self.0.streams.borrow_mut().say(text, now());
        let inner = Rc::clone(&self.0);
        spawn_local(async move { inner.perform(step) });
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Inner {
    /// Opens the next stream, if one is due; whether the browser will have it.
    fn open(self: &Rc<Self>) -> bool {
        let next = self.streams.borrow_mut().open();
        let Some((number, address)) = next else { return true };
        let Some(source) = Source::open(&address, self, number) else { return false };
        self.sources.borrow_mut().insert(number, source);
        true
    }

    fn heard(self: &Rc<Self>, number: u64, text: String, id: String) {
        let steps = self.streams.borrow_mut().hear(number, text, id, now());
        self.perform(steps);
    }

    fn perform(self: &Rc<Self>, steps: impl IntoIterator<Item = Step>) {
        for step in steps {
            // Whoever hears something may end it.
            if self.is_over.get() {
                return;
            }
            match step {
                Step::Opened => (self.hear)(Said::Opened),
                Step::Hear(text) => (self.hear)(Said::Text(text)),
                Step::OpenSoon => {
                    let this = Rc::clone(self);
                    let opening = Timeout::new(GATHERED_FOR, move || {
                        if !this.open() {
                            this.break_off();
                        }
                    });
                    self.opening.replace(Some(opening));
                }
                Step::CloseBefore(number) => {
                    let this = Rc::clone(self);
                    let closing = Timeout::new(KEPT_FOR, move || {
                        this.sources.borrow_mut().retain(|kept, _| *kept >= number);
                    });
                    self.closing.replace(Some(closing));
                }
                Step::Publish { channel, payload, request_id } => {
                    self.publishes.borrow_mut().push_back((channel, payload, request_id));
                    self.publish();
                }
            }
        }
    }

    /// Publishes what waits, unless that is being done.
    fn publish(self: &Rc<Self>) {
        if self.is_publishing.replace(true) {
            return;
        }
        let this = Rc::clone(self);
        spawn_local(async move {
            loop {
                let first = this.publishes.borrow_mut().pop_front();
                let Some((channel, payload, request_id)) = first else { break };
                let answer = match request::publish(&channel, payload, &this.uuid).await {
                    Ok(receipt) => stream::published(&receipt, request_id),
                    Err(PublishError::Refused { code, message }) => stream::failure(code, &message, request_id),
                    // It may have been taken: the session says so when no answer comes.
                    Err(_) => continue,
                };
                this.perform([Step::Hear(answer)]);
            }
            this.is_publishing.set(false);
        });
    }

    /// A stream broke: what is no more is told like the end of a socket.
    fn failed(&self, number: u64) {
        if self.is_over.get() {
            return;
        }
        if self.streams.borrow().depends_on(number) {
            self.break_off();
        } else {
            // The browser would open it again.
            let source = self.sources.borrow_mut().remove(&number);
            drop(source);
        }
    }

    fn break_off(&self) {
        self.end();
        (self.hear)(Said::Closed(BROKEN));
    }

    fn end(&self) {
        self.is_over.set(true);
        self.publishes.take();
        self.opening.take();
        self.closing.take();
        self.sources.take();
    }
}

impl Source {
    fn open(address: &str, inner: &Rc<Inner>, number: u64) -> Option<Self> {
        let mut raw = EventSource::new(address).ok()?;
        let mut messages = raw.subscribe("message").ok()?;
        // Asked for by name: of errors behind which the browser connects again by itself, which is for us to do, the
        // other subscription says nothing.
        let mut errors = raw.subscribe("error").ok()?;
        let hears = Rc::downgrade(inner);
        spawn_local(async move {
            while let Some(Ok((_, event))) = next(&mut messages).await {
                let Some(inner) = hears.upgrade() else { return };
                if let Some(text) = event.data().as_string() {
                    inner.heard(number, text, event.last_event_id());
                }
            }
        });
        let fails = Rc::downgrade(inner);
        spawn_local(async move {
            // The first is the end, and so is being dropped.
            let _ = next(&mut errors).await;
            if let Some(inner) = fails.upgrade() {
                inner.failed(number);
            }
        });
        Some(Self(raw))
    }
}

/// The next item of a stream.
fn next<S: Stream + Unpin>(stream: &mut S) -> impl Future<Output = Option<S::Item>> {
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context))
}
