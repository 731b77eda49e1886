//! What a tab sends to an endpoint, until it is out and answered.

use std::{collections::VecDeque, time::Duration};

use super::RequestId;
use crate::table::Table;

/// Messages that wait; beyond, the oldest that is no request falls out.
pub(super) const WAITING: usize = 100;
/// Requests under way at once.
const REQUESTS: usize = 256;

/// Messages and requests in the order they go out, and requests that wait for their answers.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    waiting: VecDeque<Waiting>,
    requests: Table<RequestId, Pending>,
}

#[derive(Debug)]
enum Waiting {
    Message(String),
    /// Its text is with the other facts of the request.
    Request(RequestId),
}

/// A request without its answer.
#[derive(Debug)]
struct Pending {
    /// By when it is answered.
    until: Duration,
    text: String,
    is_sent: bool,
}

impl Outgoing {
    /// Takes a message; whether an older one fell out for it.
    pub(super) fn push(&mut self, text: String) -> bool {
        let is_message = |waiting: &Waiting| matches!(waiting, Waiting::Message(_));
        let oldest = if self.waiting.len() >= WAITING { self.waiting.iter().position(is_message) } else { None };
        if let Some(oldest) = oldest {
            self.waiting.remove(oldest);
        }
        self.waiting.push_back(Waiting::Message(text));
        oldest.is_some()
    }

    /// Takes a request; whether there is room.
    pub(super) fn request(&mut self, id: RequestId, text: String, until: Duration) -> bool {
        let has_room = self.requests.len() < REQUESTS;
        if has_room {
            self.requests.insert(id, Pending { until, text, is_sent: false });
            self.waiting.push_back(Waiting::Request(id));
        }
        has_room
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next text to go out.
    pub(super) fn next(&mut self) -> Option<String> {
        match self.waiting.pop_front()? {
            Waiting::Message(text) => Some(text),
            Waiting::Request(id) => {
                let pending = self.requests.get_mut(&id)?;
                pending.is_sent = true;
                Some(pending.text.clone())
            }
        }
    }

    /// The server did not take a request: it is the next to go out.
    pub(super) fn retry(&mut self, id: RequestId) {
        if let Some(pending) = self.requests.get_mut(&id)
            && std::mem::take(&mut pending.is_sent)
        {
            self.waiting.push_front(Waiting::Request(id));
        }
    }

    /// Forgets a request; whether it was one.
    pub(super) fn settle(&mut self, id: RequestId) -> bool {
        let was_pending = self.requests.remove(&id).is_some();
        if was_pending {
            self.waiting.retain(|waiting| !matches!(waiting, Waiting::Request(waiting) if *waiting == id));
        }
        was_pending
    }

    /// Requests that are out.
    pub(super) fn sent(&self) -> Vec<RequestId> {
        self.requests.iter().filter(|(_, pending)| pending.is_sent).map(|(id, _)| *id).collect()
    }

    /// Requests whose answers are overdue.
    pub(super) fn overdue(&self, now: Duration) -> Vec<RequestId> {
        self.requests.iter().filter(|(_, pending)| pending.until <= now).map(|(id, _)| *id).collect()
    }

    /// When the next answer is overdue.
    pub(super) fn wake_at(&self) -> Option<Duration> {
        self.requests.values().map(|pending| pending.until).min()
    }

    /// Forgets everything; the requests among it.
    pub(super) fn clear(&mut self) -> Vec<RequestId> {
        self.waiting.clear();
        self.requests.take_all().into_iter().map(|(id, _)| id).collect()
    }
}
