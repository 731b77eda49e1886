//! The only file that names `web_sys::WebSocket`.

use std::rc::Rc;

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{CloseEvent, Event, MessageEvent, WebSocket};

/// What a socket says.
#[derive(Debug)]
pub enum Said {
    /// It stands.
    Opened,
    /// A text came; anything else is passed over.
    Text(String),
    /// It is gone, or never stood.
    Closed(u16),
}

/// An open or opening socket. Dropped, it closes and says nothing any more.
pub struct Socket {
    raw: WebSocket,
    _on_open: Closure<dyn Fn(Event)>,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_close: Closure<dyn Fn(CloseEvent)>,
}

impl Socket {
    /// Opens a socket that tells `hear` what it says; `None` when the browser will not have the address.
    pub fn open(url: &str, hear: Rc<dyn Fn(Said)>) -> Option<Self> {
        let raw = WebSocket::new(url).ok()?;
        let hear_open = Rc::clone(&hear);
        let on_open = Closure::<dyn Fn(Event)>::new(move |_| hear_open(Said::Opened));
        let hear_message = Rc::clone(&hear);
        let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                hear_message(Said::Text(text));
            }
        });
        let on_close = Closure::<dyn Fn(CloseEvent)>::new(move |event: CloseEvent| hear(Said::Closed(event.code())));
        raw.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        raw.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        raw.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Some(Self { raw, _on_open: on_open, _on_message: on_message, _on_close: on_close })
    }

    /// Sends a text. Lost when the socket is going away: then [`Said::Closed`] follows.
    pub fn send(&self, text: &str) {
        let _ = self.raw.send_with_str(text);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.raw.set_onopen(None);
        self.raw.set_onmessage(None);
        self.raw.set_onclose(None);
        let _ = self.raw.close();
    }
}
