//! Sockets as they are, without a protocol: for looking at what an endpoint says.

use std::{cell::RefCell, rc::Rc};

use leptos::prelude::*;

/// What a raw socket says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawSaid {
    /// It stands.
    Opened,
    /// A frame of text came.
    Frame(String),
    /// It is gone, with this code.
    Closed(u16),
    /// It never stood; the status of the same address over HTTP, where there is one.
    Refused(Option<u16>),
}

/// An open or opening socket. Dropped, it closes and says nothing any more.
pub trait RawSocket {
    /// Sends a text as it is.
    fn send(&self, text: &str);
}

/// Opens a socket at a path of this site; what the browser crate installs.
pub type OpenRaw = Rc<dyn Fn(&str, Rc<dyn Fn(RawSaid)>) -> Box<dyn RawSocket>>;

thread_local! {
    static OPEN: RefCell<Option<OpenRaw>> = const { RefCell::new(None) };
    /// The one raw socket of the page.
    static SOCKET: RefCell<Option<Box<dyn RawSocket>>> = const { RefCell::new(None) };
}

/// Fills the port; called once, before hydration.
pub fn install_raw(open: OpenRaw) {
    OPEN.with(|installed| *installed.borrow_mut() = Some(open));
}

/// The page's raw socket: one at a time, closed with the component.
#[derive(Clone, Copy, Debug)]
pub struct Raw(());

/// A socket for the component, closed until it is opened.
///
/// On the server, nothing happens.
pub fn use_raw_socket() -> Raw {
    on_cleanup(|| Raw(()).close());
    Raw(())
}

impl Raw {
    /// Opens one at a path of this site; the one before is closed.
    pub fn open(self, path: &str, hear: impl Fn(RawSaid) + 'static) {
        let open = OPEN.with(|installed| installed.borrow().clone());
        self.close();
        if let Some(open) = open {
            let socket = open(path, Rc::new(hear));
            SOCKET.with(|kept| *kept.borrow_mut() = Some(socket));
        }
    }

    /// Sends a text as it is; without a socket it goes nowhere.
    pub fn send(self, text: &str) {
        SOCKET.with(|socket| socket.borrow().iter().for_each(|socket| socket.send(text)));
    }

    /// Closes it.
    pub fn close(self) {
        // In a statement of its own: what is dropped may call back.
        let socket = SOCKET.with(|socket| socket.borrow_mut().take());
        drop(socket);
    }
}
