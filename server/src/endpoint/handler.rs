//! What a site owner writes to make an endpoint.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;
use wire::{
    Code,
    endpoint::{OwnMessage, RequestError},
};

use super::Socket;
use crate::relay::Owner;

/// One kind of endpoint. Broadcasts, messages to users and rooms, joins and presence need no code: a
/// handler says who may come, and answers messages of its own types.
///
/// ```
/// use async_trait::async_trait;
/// use serde_json::json;
/// use server::endpoint::{Handler, Reply, Socket};
/// use wire::{Code, endpoint::{OwnMessage, RequestError}};
///
/// /// Adds numbers for who asks: `{type: "add", a: 1, b: 2, requestId: 7}`.
/// struct Calculator;
///
/// #[async_trait]
/// impl Handler for Calculator {
///     async fn on_message(&self, _: &Socket, message: OwnMessage) -> Result<Option<Reply>, RequestError> {
///         let number = |name: &str| message.fields.get(name).and_then(|value| value.as_f64());
///         match (message.kind.as_str(), number("a"), number("b")) {
///             ("add", Some(a), Some(b)) => Ok(Some(Reply::new("sum", json!(a + b)))),
///             _ => Err(RequestError::new(Code::InvalidMessage, "`add` needs two numbers")),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Asked before the socket opens, after the endpoint's rule; a refusal is answered over HTTP.
    async fn accept(&self, _visit: &Visit) -> Result<(), Refused> {
        Ok(())
    }

    /// The socket is open and met with `connected`.
    async fn on_connect(&self, _socket: &Socket) {}

    /// Answers a message of a type that is the endpoint's own. One message of a socket is answered behind
    /// the other. Without an answer in 10 s a request is answered with `NO_REPLY`.
    async fn on_message(&self, _socket: &Socket, message: OwnMessage) -> Result<Option<Reply>, RequestError> {
        Err(RequestError::new(Code::InvalidMessage, format!("there is no message of type `{}` here", message.kind)))
    }

    /// The socket is gone; it is in no room any more. At most 5 s.
    async fn on_disconnect(&self, _socket: &Socket) {}
}

/// The answer to a message: a frame `{type, data}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub(super) kind: String,
    pub(super) data: Value,
}

impl Reply {
    /// Of this type, with these data.
    pub fn new(kind: impl Into<String>, data: Value) -> Self {
        Self { kind: kind.into(), data }
    }
}

/// Somebody at the door.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Names the tab: given by it, or new.
    pub client_id: Arc<str>,
    /// Who it is; `None` for a guest.
    pub owner: Option<Arc<Owner>>,
    /// What stands in the path where the endpoint has `{name}`.
    pub parameters: HashMap<String, String>,
}

/// Why somebody may not come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// 401: somebody signed in might.
    SignInFirst,
    /// 403, with a text for people.
    Forbidden(String),
    /// 404: there is no such thing as the path names.
    NotFound,
}

/// A handler that adds nothing: for endpoints that administrators make.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Handler for Plain {}
