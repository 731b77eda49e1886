//! What the observatory hears.

use std::{
    sync::{Arc, PoisonError},
    time::Instant,
};

use app::{
    observatory::{Dashboard, DashboardAction},
    todo::TodoChange,
};
use serde_json::Value;
use tokio::sync::mpsc;
use wire::{Channel, Message, Pattern, Position, Since};

use super::{ASKED, HEARD, Shared, Work};
use crate::{
    clock::rfc3339,
    hub::{Batch, Listener, Omit},
};

/// News of the to-do list: what people do on this site.
const TODOS: &str = "view:helloClusterTodo:*";

struct Ear {
    shared: Arc<Shared>,
    work: mpsc::Sender<Work>,
}

/// Listens until it is dropped.
pub(super) async fn listen(shared: Arc<Shared>, work: mpsc::Sender<Work>) {
    let ear = Arc::new(Ear { shared: Arc::clone(&shared), work });
    let mut joined = Vec::new();
    for pattern in [ASKED, HEARD, TODOS].into_iter().filter_map(|name| Pattern::parse(name).ok()) {
        let listener: Arc<dyn Listener> = ear.clone();
        joined.push(shared.hub.subscribe(&pattern, Omit::Nothing, Since::Now, listener).await);
    }
    std::future::pending::<()>().await;
}

impl Listener for Ear {
    fn deliver(&self, batch: &Batch) {
        for delivery in batch.deliveries() {
            let message = &delivery.message;
            match message.channel.as_str() {
                ASKED => {
                    if let Some(id) = message.data.get("trace").and_then(Value::as_str) {
                        // When there is too much to do, the trace lacks a hop.
                        let _ = self.work.try_send(Work::Traced(id.to_owned()));
                    }
                }
                HEARD => self.heard(message),
                _ => self.done(message),
            }
        }
    }

    fn lost(&self, _: &Channel, _: Option<&Position>) {}
}

impl Ear {
    fn heard(&self, message: &Message) {
        let Some(id) = message.data.get("trace").and_then(Value::as_str) else { return };
        let waiting = self.shared.traces.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(waiting) = waiting {
            let _ = waiting.try_send((message.instance_id.to_string(), Instant::now()));
        }
    }

    fn done(&self, message: &Message) {
        let Ok(change) = serde_json::from_value::<TodoChange>(Value::Object(message.data.clone())) else { return };
        let Ok(Value::String(kind)) = serde_json::to_value(change.action) else { return };
        let action = DashboardAction {
            kind,
            user: message.username.clone(),
            details: change.todo.title,
            timestamp: rfc3339(message.timestamp),
        };
        {
            let mut actions = self.shared.actions();
            actions.push_front(action.clone());
            actions.truncate(Dashboard::ACTIONS);
        }
        // Every instance hears of it; the one where it was done tells the dashboard.
        if message.source.as_ref() == Some(self.shared.hub.source()) {
            let _ = self.work.try_send(Work::Done(action));
        }
    }
}
