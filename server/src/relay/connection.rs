//! One browser's socket, from its first frame to its last.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout};
use wire::{
    close,
    limits::{PING_EVERY, PONG_WITHIN},
};

use super::{
    LAST_FRAME_WITHIN, Owner, Shared, Use,
    queue::{Queue, QueueEnd},
};
use crate::{
    accepted::FINISH_WITHIN,
    socket::{Conversation, Received, SocketStream, close_frame, ping_frame},
};

/// How long a socket that was told to go has to do so.
const HANG_UP_WITHIN: Duration = Duration::from_secs(2);

/// The task that owns a socket.
pub(super) struct Connection<C> {
    pub(super) shared: Arc<Shared>,
    pub(super) stream: SocketStream,
    pub(super) queue: Arc<Queue<Bytes>>,
    pub(super) owner: Option<Arc<Owner>>,
    pub(super) conversation: C,
    pub(super) purpose: Use,
    /// Written next; kept between writes so that it is not allocated for each. Begins with the greeting.
    pub(super) frames: Vec<Bytes>,
}

/// Why a connection ends.
enum End {
    /// It is gone.
    Gone,
    /// It is told to go.
    Close { code: u16, reason: &'static str },
}

impl<C: Conversation> Connection<C> {
    pub(super) async fn run(mut self) {
        let key = self.shared.enter(self.queue.clone(), self.owner.clone(), self.purpose);
        let end = self.converse().await;
        self.shared.leave(key);
        // In a box: an idle socket keeps no room for its end.
        Box::pin(self.part(end)).await;
    }

    /// Closes the socket, and finishes what was read from it.
    async fn part(self, end: End) {
        let Self { mut stream, mut conversation, mut frames, .. } = self;
        let closing = async move {
            if let End::Close { code, reason } = end {
                frames.push(close_frame(code, reason));
                // It goes in any case; whether it hears why is its own affair.
                if let Ok(Ok(())) = timeout(LAST_FRAME_WITHIN, stream.send(&mut frames)).await {
                    let _ = timeout(HANG_UP_WITHIN, stream.hang_up()).await;
                }
            } else {
                let _ = timeout(LAST_FRAME_WITHIN, stream.end()).await;
            }
        };
        let finishing = async move {
            conversation.finish();
            let answers = async {
                while conversation.is_busy() {
                    drop(conversation.next_answers().await)
                }
            };
            if timeout(FINISH_WITHIN, answers).await.is_err() {
                tracing::warn!("messages of a socket that has gone took too long and were dropped");
            }
            conversation.end().await;
        };
        tokio::join!(closing, finishing);
    }

    async fn converse(&mut self) -> End {
        let alarm = sleep(PING_EVERY);
        let mut alarm = pin!(alarm);
        let mut awaits_pong = false;
        loop {
            if !self.frames.is_empty()
                && let Err(end) = self.write().await
            {
                return end;
            }
            tokio::select! {
                biased;
                received = self.stream.receive() => match received {
                    Received::Text(text) => {
                        self.shared.stats.received(self.purpose);
                        self.conversation.take(&text, &mut self.frames).await;
                    }
                    Received::Binary(_) => self.frames.push(self.conversation.not_text()),
                    Received::Pong => {
                        awaits_pong = false;
                        alarm.as_mut().reset(Instant::now() + PING_EVERY);
                    }
                    Received::Unreadable(code, reason) => return End::Close { code, reason },
                    Received::Closed => return End::Gone,
                },
                taken = self.queue.take(&mut self.frames) => match taken {
                    Ok(()) => {}
                    Err(QueueEnd::Overflow) => {
                        self.shared.stats.overflowed(self.purpose);
                        return SLOW;
                    }
                    Err(QueueEnd::Drain) => return Box::pin(self.drain()).await,
                    // What it asked last is not answered any more.
                    Err(QueueEnd::SessionOver) => return SESSION_OVER,
                    Err(QueueEnd::Forbidden) => return FORBIDDEN,
                },
                answers = self.conversation.next_answers() => self.frames.extend(answers),
                () = alarm.as_mut() => {
                    if awaits_pong {
                        return End::Gone;
                    }
                    awaits_pong = true;
                    alarm.as_mut().reset(Instant::now() + PONG_WITHIN);
                    self.frames.push(ping_frame());
                }
            }
        }
    }

    /// Writes what is due; gives up when the socket does not read while more than allowed gathers.
    async fn write(&mut self) -> Result<(), End> {
        let Self { shared, stream, queue, frames, purpose, .. } = self;
        let written = tokio::select! {
            biased;
            written = stream.send(frames) => written,
            () = async {
                queue.overflown().await;
                sleep(LAST_FRAME_WITHIN).await;
            } => {
                shared.stats.overflowed(*purpose);
                // Half a frame may have gone out: there is no telling it anything any more.
                return Err(End::Gone);
            }
        };
        if written.is_err() {
            Box::pin(self.read_rest()).await;
            return Err(End::Gone);
        }
        Ok(())
    }

    /// Reads what a browser that takes nothing any more sent before it went. Nothing of it is answered.
    async fn read_rest(&mut self) {
        let Self { shared, stream, conversation, purpose, frames, .. } = self;
        let reading = async {
            loop {
                match stream.receive().await {
                    Received::Text(text) => {
                        shared.stats.received(*purpose);
                        conversation.take(&text, frames).await;
                        frames.clear();
                    }
                    Received::Binary(_) | Received::Pong => {}
                    Received::Unreadable(..) | Received::Closed => return,
                }
            }
        };
        // The end of what it sent is on its way: the connection is broken.
        let _ = timeout(LAST_FRAME_WITHIN, reading).await;
    }

    /// Finishes what was asked and says what was queued, the drain frame last.
    async fn drain(&mut self) -> End {
        let mut queued = std::mem::take(&mut self.frames);
        self.conversation.finish();
        while self.conversation.is_busy() {
            let answers = self.conversation.next_answers().await;
            self.frames.extend(answers);
        }
        self.frames.append(&mut queued);
        End::Close { code: close::RESTART, reason: "this instance restarts" }
    }
}

const SLOW: End = End::Close { code: close::SLOW_CONSUMER, reason: "read too slowly; resume from your position" };
const SESSION_OVER: End = End::Close { code: close::SESSION_EXPIRED, reason: "the session is over" };
const FORBIDDEN: End = End::Close { code: close::FORBIDDEN, reason: "this endpoint is not for you any more" };
