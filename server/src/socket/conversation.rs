//! What is said on a socket, apart from the socket.

use std::future::Future;

use bytes::Bytes;

/// One browser's side of the relay, or of an endpoint: what its messages do and how they are answered.
///
/// The task that owns the socket calls it, one call after the other, so it needs no locks. What others
/// tell the browser goes into the socket's queue instead.
pub trait Conversation: Send {
    /// Takes one text message and appends what is to be answered at once to `answers`.
    fn take(&mut self, text: &str, answers: &mut Vec<Bytes>) -> impl Future<Output = ()> + Send;

    /// The answer to a binary message.
    fn not_text(&self) -> Bytes;

    /// Answers that took their time; waits for ever when there are none to come. Cancel safe.
    fn next_answers(&mut self) -> impl Future<Output = Vec<Bytes>> + Send;

    /// Whether such answers are to come.
    fn is_busy(&self) -> bool;

    /// The browser or the instance goes: nothing is read after this, and what was read is finished.
    fn finish(&mut self) {}

    /// The socket is gone, and what was read is finished.
    fn end(self) -> impl Future<Output = ()> + Send;
}
