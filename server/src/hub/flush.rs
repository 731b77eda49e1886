//! Sends what waits for Redis: channels side by side, each in its own order.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{sleep_until, timeout, timeout_at};
use wire::Channel;

use super::{Hub, Shared, retry_buffer::ChannelState};
use crate::{
    bus::{BusError, Link},
    clock::dice,
};

/// Channels flushed side by side.
const CHANNELS_AT_ONCE: usize = 32;
/// How long a new message waits for earlier ones of its channel to be sent before it.
const BEHIND_EARLIER: Duration = Duration::from_secs(2);
/// How long a stop waits for new logs of channels whose messages it gave up.
const RESET_WITHIN: Duration = Duration::from_secs(1);
/// Refusals in a row after which they are logged: by then the link is down if Redis refuses everything.
const WARN_FROM: u32 = 2;
/// Refusals are logged so often at most, with a count of the refused channels.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// When refusals were last logged.
#[derive(Default)]
pub(super) struct RefusalLog(Mutex<Option<Instant>>);

impl RefusalLog {
    /// Whether it is time to log one.
    fn is_due(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| now.saturating_duration_since(last) >= WARN_EVERY);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

impl Hub {
    /// Sends what waits for Redis, until nothing does or `deadline`. What is left then is given up: its channels begin
    /// a new log, so that every listener learns of a gap, and the log of this instance says how many messages that were.
    /// Called when nothing is published any more.
    pub async fn drain(&self, deadline: tokio::time::Instant) {
        let shared = &self.shared;
        shared.retry_buffer().forgive();
        let drained = async {
            loop {
                let changed = shared.flushed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if shared.retry_buffer().is_empty() {
                    return;
                }
                shared.flush_wanted.notify_one();
                changed.await;
            }
        };
        if timeout_at(deadline, drained).await.is_ok() {
            return;
        }
        shared.stop.cancel();
        let (messages, channels) = shared.retry_buffer().abandon();
        tracing::error!(
            messages,
            channels = channels.len(),
            "stopped before redis took these messages; other instances never get them, their listeners learn of a gap"
        );
        let reset = channels.into_iter().map(|channel| {
            let bus = Arc::clone(&shared.bus);
            async move { bus.renew(&channel).await }
        });
        let reset = futures_util::stream::iter(reset).buffer_unordered(CHANNELS_AT_ONCE);
        let failed = reset.fold(0, async |failed, reset| failed + usize::from(reset.is_err()));
        match timeout(RESET_WITHIN, failed).await {
            Ok(0) => {}
            _ => tracing::error!("redis did not begin a new log for each of them: some listeners learn of no gap"),
        }
    }
}

impl Shared {
    /// Sends what waits whenever there is a link, for as long as the hub runs.
    pub(super) async fn keep_flushing(&self) {
        let mut link = self.link.clone();
        let mut flushing = FuturesUnordered::new();
        let mut count = 0;
        loop {
            let mut next_retry = None;
            if *link.borrow_and_update() == Link::Up {
                let mut buffer = self.retry_buffer();
                let due = buffer.take_due(CHANNELS_AT_ONCE - flushing.len(), Instant::now());
                next_retry = buffer.next_retry();
                drop(buffer);
                flushing.extend(due.into_iter().map(|channel| self.flush_channel(channel)));
            }
            let retry_at = next_retry.unwrap_or_else(Instant::now).into();
            tokio::select! {
                () = self.flush_wanted.notified() => {}
                Some(sent) = flushing.next() => {
                    count += sent;
                    if self.retry_buffer().is_empty() {
                        self.report_flushed(std::mem::take(&mut count));
                    }
                }
                Ok(()) = link.changed() => self.retry_buffer().forgive(),
                () = sleep_until(retry_at), if next_retry.is_some() => {}
            }
        }
    }

    /// Sends everything of one channel, oldest first; how many messages.
    async fn flush_channel(&self, channel: Channel) -> usize {
        let mut sent = 0;
        let result = loop {
            // Before what follows the loss: it belongs into the new log.
            if self.retry_buffer().is_torn(&channel) {
                match self.bus.renew(&channel).await {
                    Ok(()) => self.retry_buffer().mend(&channel),
                    Err(error) => break Err(error),
                }
                continue;
            }
            let (messages, attempt) = self.retry_buffer().batch(&channel);
            if messages.is_empty() {
                break Ok(());
            }
            match self.bus.publish(&messages, attempt).await {
                Ok(_) => {
                    self.retry_buffer().sent(&channel, &messages);
                    sent += messages.len();
                }
                Err(error) => {
                    if error.may_have_happened() {
                        self.retry_buffer().tried(&channel, &messages);
                    }
                    break Err(error);
                }
            }
        };
        let failures = self.retry_buffer().finish(&channel, result.is_err(), Instant::now(), dice());
        if let Err(error) = &result
            && failures >= WARN_FROM
        {
            self.warn_refused(&channel, error);
        }
        self.flushed.notify_waiters();
        sent
    }

    /// Waits until earlier messages of the channel are sent; whether a new one may go to Redis directly.
    pub(super) async fn is_channel_free(&self, channel: &Channel) -> bool {
        let deadline = tokio::time::Instant::now() + BEHIND_EARLIER;
        loop {
            let changed = self.flushed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if *self.link.borrow() == Link::Down {
                return false;
            }
            match self.retry_buffer().state(channel, Instant::now()) {
                ChannelState::Free => return true,
                ChannelState::Refused => return false,
                ChannelState::Flushing => {}
            }
            if timeout_at(deadline, changed).await.is_err() {
                return false;
            }
        }
    }

    /// Logs that Redis refuses a channel, now and then. A Redis that refuses everything is logged by the bus.
    fn warn_refused(&self, channel: &Channel, error: &BusError) {
        if matches!(error, BusError::Down) || !self.refusals.is_due(Instant::now()) {
            return;
        }
        let refused = self.retry_buffer().refused();
        tracing::warn!(%channel, %error, refused, "redis refused a broadcast; its channel waits and is tried again");
    }

    fn report_flushed(&self, count: usize) {
        if count > 0 {
            tracing::info!(count, "sent what waited for the link");
        }
        let dropped = self.retry_buffer().take_dropped();
        self.stats.dropped.fetch_add(dropped, Ordering::Relaxed);
        if dropped > 0 {
            tracing::error!(
                dropped,
                "the retry buffer was too small for the outage: raise redis.fallback.outbox_messages"
            );
        }
    }
}
