//! `jPulse.ws.connect` for plain scripts.

use std::{rc::Rc, time::Duration};

use js_sys::{Function, Object, Promise, Reflect};
use serde_json::{Map, Value};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use wire::{Code, endpoint::RequestError, to_text};

use super::make_error;
use crate::endpoints::{Connection, Ears, Settle};

/// A function `(path, deliver, setStatus, respond)` that connects and answers what can be done then.
pub(super) fn connect(uuid: Rc<str>) -> JsValue {
    let connect = Closure::<dyn Fn(String, Function, Function, Function) -> JsValue>::new(
        move |path: String, deliver: Function, set_status: Function, respond: Function| {
            let ears = Ears {
                on_message: Rc::new(move |data| {
                    // A script's own errors are caught over there, here and below.
                    let _ = deliver.call1(&JsValue::NULL, &to_text(data).into());
                }),
                on_status: Rc::new(move |status| {
                    let _ = set_status.call1(&JsValue::NULL, &status.as_str().into());
                }),
                on_request: Rc::new(move |data, settle| {
                    let answer = respond.call1(&JsValue::NULL, &to_text(&data).into());
                    spawn_local(answer_later(answer, settle));
                }),
            };
            handle(Rc::new(Connection::open(&path, Rc::clone(&uuid), ears)))
        },
    );
    connect.into_js_value()
}

async fn answer_later(answer: Result<JsValue, JsValue>, settle: Settle) {
    let text = match answer.and_then(JsCast::dyn_into::<Promise>) {
        Ok(promise) => JsFuture::from(promise).await,
        Err(error) => Err(error),
    };
    settle(match text {
        Ok(text) => Ok(text.as_string().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()),
        Err(error) => {
            let text = |name: &str| Reflect::get(&error, &name.into()).ok().and_then(|value| value.as_string());
            let code = text("code").map(|code| Code::read(&code));
            let message = text("message").unwrap_or_else(|| "the page could not answer".to_owned());
            Err(RequestError::new(code.unwrap_or(Code::Unknown), message))
        }
    });
}

/// What a script does with a connection.
fn handle(link: Rc<Connection>) -> JsValue {
    let object = Object::new();
    let set = |name: &str, function: JsValue| {
        let _ = Reflect::set(&object, &name.into(), &function);
    };
    let ours = Rc::clone(&link);
    let send = Closure::<dyn Fn(String)>::new(move |text: String| ours.send(fields(&text)));
    set("send", send.into_js_value());
    let ours = Rc::clone(&link);
    let request = Closure::<dyn Fn(String, f64) -> Promise>::new(move |text: String, timeout_ms: f64| {
        request(&ours, &text, timeout_ms)
    });
    set("request", request.into_js_value());
    let disconnect = Closure::<dyn Fn()>::new(move || link.disconnect());
    set("disconnect", disconnect.into_js_value());
    object.into()
}

fn request(link: &Rc<Connection>, text: &str, timeout_ms: f64) -> Promise {
    let within = (timeout_ms > 0.0).then(|| Duration::try_from_secs_f64(timeout_ms / 1_000.0).ok()).flatten();
    let (link, message) = (Rc::clone(link), fields(text));
    Promise::new(&mut |resolve, reject| {
        let settle = move |outcome: Result<Value, RequestError>| match outcome {
            Ok(data) => drop(resolve.call1(&JsValue::NULL, &to_text(&data).into())),
            Err(RequestError { code, error }) => {
                let error = make_error(code.as_str(), &error).unwrap_or_else(|error| error);
                let _ = reject.call1(&JsValue::NULL, &error);
            }
        };
        link.request(message.clone(), within, Box::new(settle));
    })
}

/// The script over there sends objects only.
fn fields(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}
