//! Whose sockets there are, and how those end whose session is over.

use std::sync::Arc;

use app::account::PersonName;
use wire::{Code, Frame};

use super::{Relay, queue::QueueEnd};
use crate::socket::text_frame;

/// Who opened a socket, and with which session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Names the session.
    pub session: Arc<str>,
    /// The user's id.
    pub user_id: String,
    /// The name others see.
    pub username: String,
    /// First and last name, where the account has them.
    pub name: PersonName,
    /// What the user could do when the socket was opened.
    pub roles: Vec<String>,
    /// When the session began, in milliseconds since 1970.
    pub since: u64,
}

impl Relay {
    /// The owners of the sockets and streams that are open, one for each.
    pub fn owners(&self) -> Vec<Arc<Owner>> {
        self.shared.sockets().queues.iter().filter_map(|(_, open)| open.owner.clone()).collect()
    }

    /// Tells the sockets of these owners that their session is over, and closes them.
    pub fn end_sockets(&self, is_over: impl Fn(&Owner) -> bool) {
        let text = "The session is over; please sign in again.";
        let last = text_frame(&Frame::failure(Code::SessionExpired, text.to_owned(), None, None).to_json());
        for (_, open) in &self.shared.sockets().queues {
            if open.owner.as_ref().is_some_and(|owner| is_over(owner)) {
                open.queue.finish(last.clone(), QueueEnd::SessionOver);
            }
        }
    }
}
