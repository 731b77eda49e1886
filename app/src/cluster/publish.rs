//! Publishing from the browser.

use std::{future::Future, time::Duration};

use serde::Serialize;
use serde_json::Value;
use wire::{PublishError, Receipt};

use super::{TypedChannel, answer::Answer, link, throttle::throttled};

/// Tells every subscriber of a channel, in every browser on every instance.
///
/// Goes over the socket when connected, else as a request. Nothing is tried twice: after
/// [`PublishError::ConnectionLost`] and [`PublishError::TimedOut`] the message may have been taken.
///
/// On the server, always [`PublishError::NoLink`]: server code has
/// `app::ports::Cluster::publish_broadcast`.
///
/// ```
/// use app::{channel, cluster::{TypedChannel, publish}};
/// # #[derive(serde::Serialize)] struct Note { text: String }
/// const NOTE: TypedChannel<Note> = channel!("view:myApp:note:sent");
///
/// # async fn example() -> Result<(), app::cluster::PublishError> {
/// let receipt = publish(NOTE, &Note { text: "hello".into() }).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// When `T` is no JSON object, when the server refuses, and when it cannot be reached.
pub fn publish<T: Serialize>(
    channel: TypedChannel<T>,
    message: &T,
) -> impl Future<Output = Result<Receipt, PublishError>> + Send + use<T> {
    let answer = Answer::new();
    match (link::installed(), serde_json::to_value(message)) {
        (None, _) => answer.settle(Err(PublishError::NoLink)),
        (Some(link), Ok(Value::Object(payload))) => {
            let settled = answer.clone();
            link.publish(&channel.channel(), payload, Box::new(move |outcome| settled.settle(outcome)));
        }
        (Some(_), _) => answer.settle(Err(PublishError::NoObject)),
    }
    answer
}

/// [`publish`] at most once in an interval: the first value at once, of those that follow too soon the
/// latest when the interval is over. For pointers, sliders and drafts.
///
/// On the server, nothing happens.
///
/// ```
/// use std::time::Duration;
/// use app::{channel, cluster::{TypedChannel, use_throttled_publish}};
/// # #[derive(serde::Serialize)] struct Pointer { x: i32, y: i32 }
/// const MOVED: TypedChannel<Pointer> = channel!("view:myApp:pointer:moved");
///
/// # fn component() {
/// let tell = use_throttled_publish(MOVED, Duration::from_millis(50));
/// let on_move = move |x, y| tell(Pointer { x, y });
/// # }
/// ```
pub fn use_throttled_publish<T: Serialize + 'static>(
    channel: TypedChannel<T>,
    every: Duration,
) -> impl Fn(T) + Clone + 'static {
    let publish_now = throttled(every, move |message: T| send(channel, &message));
    move |message| {
        if link::installed().is_some() {
            publish_now(message);
        }
    }
}

fn send<T: Serialize + 'static>(channel: TypedChannel<T>, message: &T) {
    let publishing = publish(channel, message);
    leptos::task::spawn_local(async move {
        if let Err(error) = publishing.await {
            leptos::logging::warn!("A throttled message was not published: {error}");
        }
    });
}
