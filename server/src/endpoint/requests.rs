//! Requests of the server that a browser is to answer.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::oneshot, time::timeout};
use wire::{Code, endpoint::RequestError};

use crate::socket::RequestId;

/// What the ids of the server's requests begin with.
const NAMED: &str = "server-";
/// Requests of one socket that may wait for their answers.
const WAITING: usize = 64;

type Answer = Result<Value, RequestError>;

/// The requests of one socket that wait.
#[derive(Debug, Default)]
pub(super) struct Requests {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
    is_over: bool,
}

impl Requests {
    /// Sends a request with a fresh id and waits for its answer.
    pub(super) async fn ask(&self, within: Duration, send: impl FnOnce(RequestId)) -> Answer {
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut state = self.state();
            if state.is_over {
                return Err(lost());
            }
            if state.waiting.len() >= WAITING {
                return Err(RequestError::new(Code::RateLimitExceeded, "too many requests wait for their answers"));
            }
            state.next += 1;
            let id = state.next;
            state.waiting.insert(id, answer);
            id
        };
        let waiting = Waiting { requests: self, id };
        send(RequestId::new(&format!("{NAMED}{id}")));
        let outcome = timeout(within, answered).await;
        drop(waiting);
        match outcome {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(lost()),
            Err(_) => Err(RequestError::new(Code::NoReply, "the browser did not answer in time")),
        }
    }

    /// Whether somebody waits for the answer to this request.
    pub(super) fn is_waiting(&self, id: &RequestId) -> bool {
        number(id).is_some_and(|number| self.state().waiting.contains_key(&number))
    }

    /// Takes an answer; whether somebody waited for it.
    pub(super) fn settle(&self, id: &RequestId, answer: Answer) -> bool {
        let waiting = number(id).and_then(|number| self.state().waiting.remove(&number));
        waiting.is_some_and(|waiting| waiting.send(answer).is_ok())
    }

    /// The socket goes: nobody is answered any more.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.is_over = true;
        state.waiting.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets a request whose asker has stopped waiting.
struct Waiting<'a> {
    requests: &'a Requests,
    id: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.requests.state().waiting.remove(&self.id);
    }
}

/// The number of one of this socket's requests.
fn number(id: &RequestId) -> Option<u64> {
    id.text()?.strip_prefix(NAMED)?.parse().ok()
}

fn lost() -> RequestError {
    RequestError::new(Code::ConnectionLost, "the connection ended before the answer came")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LONG: Duration = Duration::from_mins(1);
    const SHORT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_request_ends_answered_late_or_lost_and_always_once() {
        let requests = Requests::default();
        let answered = requests.ask(LONG, |id| assert!(requests.is_waiting(&id) && requests.settle(&id, Ok(json!(1)))));
        assert_eq!(answered.await, Ok(json!(1)));
        assert!(!requests.settle(&RequestId::new("server-1"), Ok(json!(2))), "once");
        for strange in ["1", r#""server-""#, r#""server-9""#, "{}"] {
            let id = RequestId::of(&format!(r#"{{"requestId":{strange}}}"#)).unwrap();
            assert!(!requests.is_waiting(&id) && !requests.settle(&id, Ok(json!(2))), "{strange}");
        }
        assert_eq!(requests.ask(SHORT, |_| {}).await.unwrap_err().code, Code::NoReply);
        assert_eq!(requests.ask(LONG, |_| requests.end()).await.unwrap_err().code, Code::ConnectionLost);
        assert_eq!(requests.ask(LONG, |_| panic!("sent")).await.unwrap_err().code, Code::ConnectionLost);
        assert!(requests.state().waiting.is_empty());
    }
}
