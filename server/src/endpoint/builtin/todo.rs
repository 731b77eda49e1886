//! `hello-todo`: the to-do list over a WebSocket. The list is the one of the REST routes; every change is
//! answered to who made it and told to everybody on the endpoint.

use std::sync::Arc;

use app::{
    ports::{Ports, Publisher},
    todos::{self, TodoError},
};
use async_trait::async_trait;
use serde_json::{Value, json};
use wire::{
    Code,
    endpoint::{OwnMessage, RequestError},
};

use super::super::{Handler, Reply, Socket};

/// Todos of one answer at most, and those it has unless it is told otherwise.
const PAGE: std::ops::RangeInclusive<u64> = 1..=100;
const PAGE_USUALLY: u64 = 50;

/// Lists and changes.
pub(super) struct List {
    ports: Ports,
}

impl List {
    pub(super) fn new(ports: Ports) -> Self {
        Self { ports }
    }
}

#[async_trait]
impl Handler for List {
    async fn on_message(&self, socket: &Socket, message: OwnMessage) -> Result<Option<Reply>, RequestError> {
        let text = |name: &str| message.fields.get(name).and_then(Value::as_str);
        let id = || text("id").ok_or_else(|| RequestError::new(Code::InvalidId, "`id` is missing"));
        let (username, name) =
            socket.owner().map(|owner| (owner.username.clone(), owner.name.clone())).unwrap_or_default();
        let publisher = Publisher { uuid: Some(Arc::clone(socket.client_id())), username, name };
        let (action, todo) = match message.kind.as_str() {
            "list" => {
                let limit = message.fields.get("limit").and_then(Value::as_u64).unwrap_or(PAGE_USUALLY);
                let limit = usize::try_from(limit.clamp(*PAGE.start(), *PAGE.end())).unwrap_or_default();
                let page = todos::list(&self.ports, limit, text("cursor")).await.map_err(refused)?;
                let page = json!({ "todos": page.todos, "stats": page.stats, "nextCursor": page.next_cursor });
                return Ok(Some(Reply::new("todos", page)));
            }
            "create" => {
                let title = text("text").unwrap_or_default();
                ("created", todos::create(&self.ports, title, publisher).await.map_err(refused)?)
            }
            "toggle" => ("updated", todos::toggle(&self.ports, id()?, publisher).await.map_err(refused)?),
            "delete" => ("deleted", todos::delete(&self.ports, id()?, publisher).await.map_err(refused)?),
            kind => {
                let error = format!("there is no message of type `{kind}` here");
                return Err(RequestError::new(Code::InvalidMessage, error));
            }
        };
        let change = json!({ "action": action, "todo": todo });
        socket.broadcast(change.clone());
        Ok(Some(Reply::new("changed", change)))
    }
}

fn refused(error: TodoError) -> RequestError {
    if let TodoError::Unavailable(cause) = &error {
        tracing::error!(%cause, "the to-do list is not available");
    }
    RequestError::new(error.code(), error.to_string())
}
