//! Connects `window.jPulse`, which the head of the page brings for plain scripts, with the link.
//!
//! What needs no socket (the tab's name, requests, toasts) is done there, in JavaScript, so that it
//! works before WebAssembly is there, and without it. What crosses over is JSON text.

mod endpoint;

use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use serde_json::Value;
use wasm_bindgen::{JsValue, closure::Closure, prelude::wasm_bindgen};
use wire::{BroadcastFrame, Channel, Pattern, object, to_text};

use crate::{
    browser::complain,
    link::{Change, Ears, RelayLink},
    session::{ListenerId, News, Own, Wish},
};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["jPulse", "appCluster"], js_name = getUuid)]
    fn get_uuid() -> Result<String, JsValue>;
    #[wasm_bindgen(catch, js_namespace = ["jPulse", "appCluster"], js_name = isClusterMode)]
    fn get_cluster_mode() -> Result<bool, JsValue>;
    #[wasm_bindgen(catch, js_namespace = ["jPulse", "_application"], js_name = attach)]
    fn attach_link(link: &Object) -> Result<(), JsValue>;
    #[wasm_bindgen(catch, js_namespace = ["jPulse", "_application"], js_name = setClusterMode)]
    fn tell_cluster_mode(is_cluster_mode: bool) -> Result<(), JsValue>;
    #[wasm_bindgen(catch, js_namespace = ["jPulse", "_application"], js_name = fail)]
    fn make_error(code: &str, message: &str) -> Result<JsValue, JsValue>;
}

/// The tab's name and whether instances hear each other, as the page's head knows them; without such
/// a head, a name for this page alone.
pub fn facts() -> (Rc<str>, bool) {
    let uuid = get_uuid().unwrap_or_else(|_| {
        complain("window.jPulse is missing: put <ClusterHead/> into the head of the page");
        ["page-", &js_sys::Math::random().to_bits().to_string()].concat()
    });
    (uuid.into(), get_cluster_mode().unwrap_or_default())
}

/// Tells scripts what befalls the link.
pub fn tell(change: Change) {
    if let Change::ClusterMode(is_cluster_mode) = change {
        // Without the page's head there is nobody to tell.
        let _ = tell_cluster_mode(is_cluster_mode);
    }
}

/// Lets scripts use the link; what they subscribed to until now begins.
pub fn attach(link: &Rc<RelayLink>) {
    let object = Object::new();
    let set = |name: &str, function: JsValue| {
        let _ = Reflect::set(&object, &name.into(), &function);
    };
    let ours = Rc::clone(link);
    let subscribe = Closure::<dyn Fn(String, bool, Function, Function) -> f64>::new(
        move |pattern: String, omits_own, deliver, gap| subscribe(&ours, &pattern, omits_own, deliver, gap),
    );
    set("subscribe", subscribe.into_js_value());
    let ours = Rc::clone(link);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number `subscribe` returned")]
    let unsubscribe = Closure::<dyn Fn(f64)>::new(move |id: f64| ours.unsubscribe(ListenerId(id as u64)));
    set("unsubscribe", unsubscribe.into_js_value());
    let ours = Rc::clone(link);
    let publish = Closure::<dyn Fn(String, String) -> Promise>::new(move |channel: String, payload: String| {
        publish(&ours, &channel, &payload)
    });
    set("publish", publish.into_js_value());
    set("connect", endpoint::connect(link.uuid()));
    let _ = attach_link(&object);
}

#[expect(clippy::cast_precision_loss, reason = "a page makes fewer than 2^53 subscriptions")]
fn subscribe(link: &RelayLink, pattern: &str, omits_own: bool, deliver: Function, gap: Function) -> f64 {
    // Checked before, by a script that knows the same grammar; the server has the last word.
    let Ok(pattern) = Pattern::parse(pattern) else { return -1.0 };
    let own = if omits_own { Own::Omit } else { Own::Hear };
    let ListenerId(id) = link.subscribe(
        Wish { pattern, own, since: None },
        Ears {
            on_message: Rc::new(move |message, is_recovered| {
                // A script's own errors are caught over there.
                let _ = deliver.call1(&JsValue::NULL, &text_of(message, is_recovered).into());
            }),
            on_news: Rc::new(move |news| {
                if news == News::Gap {
                    let _ = gap.call0(&JsValue::NULL);
                }
            }),
        },
    );
    id as f64
}

fn publish(link: &Rc<RelayLink>, channel: &str, payload: &str) -> Promise {
    let link = Rc::clone(link);
    Promise::new(&mut |resolve, reject| {
        let refuse = move |code: &str, message: &str| {
            let error = make_error(code, message).unwrap_or_else(|error| error);
            let _ = reject.call1(&JsValue::NULL, &error);
        };
        match (Channel::parse(channel), serde_json::from_str(payload)) {
            (Ok(channel), Ok(payload)) => link.publish(
                &channel,
                payload,
                Box::new(move |outcome| match outcome {
                    Ok(receipt) => {
                        let _ = resolve.call1(&JsValue::NULL, &to_text(&receipt.to_value()).into());
                    }
                    Err(error) => refuse(error.code(), &error.to_string()),
                }),
            ),
            (Err(error), _) => refuse("INVALID_CHANNEL_NAME", &error.to_string()),
            (_, Err(_)) => refuse("INVALID_DATA", "what is published must be an object"),
        }
    })
}

fn text_of(message: &BroadcastFrame, is_recovered: bool) -> String {
    let meta = object(vec![
        ("channel", message.channel.as_str().into()),
        ("id", (*message.id).into()),
        ("offset", message.position.as_ref().map(|position| position.offset).into()),
        ("timestamp", message.timestamp.as_str().into()),
        ("recovered", is_recovered.into()),
        ("unordered", message.position.is_none().into()),
    ]);
    to_text(&object(vec![("data", Value::Object(message.data.clone())), ("meta", meta)]))
}
