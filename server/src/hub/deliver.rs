//! The one task that hands messages to listeners, in the order of each channel's log.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::StreamExt;
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};
use wire::{Channel, Message, Pattern, Position, backoff::reconnect_delay};

use super::{
    Batch, Delivery, LINGER, Shared,
    channel::{Below, Entry, Held, Verdict},
    registry::PARTS,
};
use crate::{
    bus::{BusError, Event, Inbox, Link, Replay},
    clock::dice,
};

/// Events taken at once: what arrives together is handed on together, so that a socket writes once.
const BATCH: usize = 256;
/// How often unused channels are looked for, in one of their parts at a time.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// How long to wait at least before the log is asked again after an error, unless the link comes or goes; grows with
/// each refusal in a row.
const REPAIR_AGAIN_AFTER: Duration = Duration::from_millis(250);
/// Channels repaired at once after the link came back.
const REPAIRS_AT_ONCE: usize = 32;

/// What the hub itself asks of the delivering task.
pub(super) enum Task {
    /// Deliver a message that is in no log yet.
    Here { message: Arc<Message> },
    /// A replay has ended.
    Repaired { channel: Channel, entry: Arc<Entry>, replay: Result<Replay, BusError> },
}

/// Delivers until the hub stops.
pub(super) async fn run(shared: Arc<Shared>, mut inbox: Inbox, mut tasks: mpsc::Receiver<Task>) {
    let mut events = Vec::with_capacity(BATCH);
    let mut sweep = interval(SWEEP_EVERY / u32::try_from(PARTS).unwrap_or(1));
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            count = inbox.recv_many(&mut events, BATCH) => {
                if count == 0 {
                    return;
                }
                shared.stats.inbox.store(u64::try_from(inbox.len()).unwrap_or_default(), Ordering::Relaxed);
                shared.take(events.drain(..));
            }
            Some(task) = tasks.recv() => shared.perform(task),
            _ = sweep.tick() => shared.sweep(),
        }
    }
}

impl Shared {
    fn take(self: &Arc<Self>, events: impl Iterator<Item = Event>) {
        let mut together: Vec<Arc<Message>> = Vec::new();
        for event in events {
            match event {
                Event::Message(message) => {
                    if together.first().is_some_and(|first| first.channel != message.channel) {
                        self.accept(&together);
                        together.clear();
                    }
                    together.push(message);
                }
                Event::LinkUp => {
                    self.accept(&together);
                    together.clear();
                    self.catch_up();
                }
                Event::Renewed(channel) => {
                    self.accept(&together);
                    together.clear();
                    self.renewed(&channel);
                }
                Event::TooLarge(channel) => {
                    self.accept(&together);
                    together.clear();
                    self.tell_too_large(&channel);
                }
                Event::LinkDown => self.registry().doubt_wildcards(),
            }
        }
        self.accept(&together);
    }

    /// The log was begun anew: asking it for what follows the position here tells all listeners.
    fn renewed(self: &Arc<Self>, channel: &Channel) {
        let (entry, wildcards) = {
            let registry = self.registry();
            (registry.channel(channel).map(Arc::clone), registry.wildcards(channel))
        };
        match entry {
            Some(entry) => self.repair(channel, &entry),
            None => wildcards.iter().for_each(|wildcard| wildcard.state().tell_lost(channel, None)),
        }
    }

    /// A message was dropped that is in no log, so that nothing can bring it: whoever listens knows.
    fn tell_too_large(&self, channel: &Channel) {
        self.stats.too_large.fetch_add(1, Ordering::Relaxed);
        let (entry, wildcards) = {
            let registry = self.registry();
            (registry.channel(channel).map(Arc::clone), registry.wildcards(channel))
        };
        let position = entry.as_ref().and_then(|entry| entry.state().position.clone());
        for heard in entry.iter().chain(&wildcards) {
            heard.state().tell_lost(channel, position.as_ref());
        }
    }

    /// Takes messages of one channel as they arrived.
    fn accept(self: &Arc<Self>, messages: &[Arc<Message>]) {
        let Some(channel) = messages.first().map(|message| &message.channel) else { return };
        let (entry, wildcards) = {
            let mut registry = self.registry();
            let wildcards = registry.wildcards(channel);
            if wildcards.is_empty() && registry.channel(channel).is_none() {
                return;
            }
            (registry.order(channel), wildcards)
        };
        let mut must_repair = false;
        {
            let mut state = entry.state();
            if state.position.is_none()
                && let Some(first) = messages.iter().find_map(|message| message.position.as_ref())
                && first.offset > 1
            {
                let is_new = |wildcard: &Arc<Entry>| {
                    let Below { is_known, may_have_missed } = wildcard.state().below;
                    is_known && may_have_missed
                };
                if !entry.joined.initialized() && wildcards.iter().any(is_new) {
                    // Its first messages came while nothing was heard: the log has them.
                    state.position = Some(Position { offset: 0, ..first.clone() });
                } else {
                    for wildcard in &wildcards {
                        wildcard.state().tell_blind_wildcard(channel, first);
                    }
                }
            }
            let (mut batch, mut in_flight) = (Vec::with_capacity(messages.len()), Vec::new());
            for message in messages {
                let verdict = message.position.as_ref().map_or(Verdict::Deliver, |position| state.judge(position));
                match verdict {
                    Verdict::Deliver => {
                        let delivery = self.delivery(Arc::clone(message));
                        if state.keep(&delivery) {
                            batch.push(delivery);
                        }
                    }
                    Verdict::InFlight => in_flight.push(self.delivery(Arc::clone(message))),
                    Verdict::Repair => must_repair = true,
                    Verdict::Drop | Verdict::Wait => {}
                }
            }
            self.hand_out(std::iter::empty(), &wildcards, in_flight);
            self.stats.delivered(&batch);
            self.hand_out(state.listeners.iter().map(|(_, held)| held), &wildcards, batch);
        }
        self.shed_cache();
        if must_repair {
            self.repair(channel, &entry);
        }
    }

    /// Gives deliveries of one channel to everybody who wants them.
    fn hand_out<'a>(
        &self,
        listeners: impl Iterator<Item = &'a Held> + Clone,
        wildcards: &[Arc<Entry>],
        deliveries: Vec<Arc<Delivery>>,
    ) {
        if deliveries.is_empty() {
            return;
        }
        let earlier: Vec<Option<u64>> = {
            let mut buffer = self.retry_buffer();
            deliveries.iter().map(|delivery| buffer.local.take_delivered(&delivery.message)).collect()
        };
        if wildcards.is_empty() && earlier.iter().all(Option::is_none) {
            let batch = Batch::new(deliveries);
            listeners.for_each(|held| held.give(&batch));
            return;
        }
        // One by one, so that a listener with several subscriptions sees one order.
        for (delivery, earlier) in deliveries.into_iter().zip(earlier) {
            let one = Batch::new(vec![delivery]);
            let is_new_to = |held: &Held| earlier.is_none_or(|sequence| held.since_sequence > sequence);
            listeners.clone().filter(|held| is_new_to(held)).for_each(|held| held.give(&one));
            for wildcard in wildcards {
                let state = wildcard.state();
                state.listeners.iter().filter(|(_, held)| is_new_to(held)).for_each(|(_, held)| held.give(&one));
            }
        }
    }

    fn perform(self: &Arc<Self>, task: Task) {
        match task {
            Task::Here { message } => self.deliver_here(message),
            Task::Repaired { channel, entry, replay } => self.repaired(&channel, &entry, replay),
        }
    }

    /// Delivers a message that is in no log yet. It is numbered here, by the task that hands deliveries
    /// out: a listener takes one with a lower number than the last for a repetition.
    fn deliver_here(&self, message: Arc<Message>) {
        let (entry, wildcards) = {
            let registry = self.registry();
            (registry.channel(&message.channel).map(Arc::clone), registry.wildcards(&message.channel))
        };
        if entry.is_none() && wildcards.is_empty() {
            self.retry_buffer().local.deliver_here(&message, None);
            return;
        }
        let state = entry.as_ref().map(|entry| entry.state());
        if state.as_ref().is_some_and(|state| state.has_delivered(&message)) {
            // It was logged before the answer was lost, and came back through the log.
            self.retry_buffer().local.deliver_here(&message, None);
            return;
        }
        let sequence = self.next_sequence();
        if !self.retry_buffer().local.deliver_here(&message, Some(sequence)) {
            return;
        }
        self.stats.delivered_here(&message);
        let one = Batch::new(vec![self.numbered(message, sequence)]);
        if let Some(state) = &state {
            state.listeners.iter().for_each(|(_, held)| held.give(&one));
        }
        for wildcard in wildcards {
            wildcard.state().listeners.iter().for_each(|(_, held)| held.give(&one));
        }
    }

    /// Asks the log for what is missing behind the position; what arrives meanwhile waits. Without a link the
    /// next one begins with this: to ask, and pause, could only delay it while the log moves on.
    pub(super) fn repair(self: &Arc<Self>, channel: &Channel, entry: &Arc<Entry>) {
        let mut link = self.link.clone();
        if *link.borrow_and_update() == Link::Down {
            return;
        }
        let (since, failures) = {
            let mut state = entry.state();
            let Some(position) = state.position.clone() else { return };
            if std::mem::replace(&mut state.is_repairing, true) {
                return;
            }
            (position, state.failed_repairs)
        };
        self.stats.repairs.fetch_add(1, Ordering::Relaxed);
        let (shared, channel, entry) = (Arc::clone(self), channel.clone(), Arc::clone(entry));
        self.background.spawn(self.stop.clone().run_until_cancelled_owned(async move {
            let replay = shared.bus.replay(&channel, &since).await;
            if replay.is_err() {
                let pause = REPAIR_AGAIN_AFTER + reconnect_delay(failures, dice());
                let _ = timeout(pause, link.changed()).await;
            }
            // The delivering task is gone only when the hub stops.
            let _ = shared.tasks.send(Task::Repaired { channel, entry, replay }).await;
        }));
    }

    fn repaired(self: &Arc<Self>, channel: &Channel, entry: &Arc<Entry>, replay: Result<Replay, BusError>) {
        let wildcards = self.registry().wildcards(channel);
        let must_repeat = {
            let mut state = entry.state();
            state.is_repairing = false;
            state.failed_repairs = if replay.is_err() { state.failed_repairs.saturating_add(1) } else { 0 };
            match replay {
                Err(error) => {
                    tracing::debug!(%channel, %error, "cannot ask the log for missing messages");
                    true
                }
                Ok(Replay { messages: Some(messages), position, .. }) => {
                    state.continue_in(&position.epoch);
                    let mut batch = Vec::with_capacity(messages.len());
                    for message in messages {
                        if message.position.as_ref().is_some_and(|position| state.judge(position) == Verdict::Deliver) {
                            let delivery = self.delivery(message);
                            if state.keep(&delivery) {
                                batch.push(delivery);
                            }
                        }
                    }
                    self.stats.replayed.fetch_add(u64::try_from(batch.len()).unwrap_or_default(), Ordering::Relaxed);
                    self.hand_out(state.listeners.iter().map(|(_, held)| held), &wildcards, batch);
                    state.take_ahead()
                }
                Ok(Replay { position, begun, messages: None }) => {
                    self.stats.gaps.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(%channel, "messages are lost: the log does not reach back far enough");
                    state.tell_lost(channel, Some(&position));
                    for wildcard in &wildcards {
                        wildcard.state().tell_lost(channel, Some(&position));
                    }
                    state.begin_anew(position, begun)
                }
            }
        };
        self.shed_cache();
        if must_repeat {
            self.repair(channel, entry);
        }
        entry.note_settled();
    }

    /// Fetches everything missed while the link was down, and sends what waited.
    fn catch_up(self: &Arc<Self>) {
        let (listened, wildcards) = {
            let registry = self.registry();
            registry.doubt_wildcards();
            (registry.listened(), registry.heard_wildcards())
        };
        self.flush_wanted.notify_one();
        let shared = Arc::clone(self);
        self.background.spawn(self.stop.clone().run_until_cancelled_owned(async move {
            futures_util::stream::iter(listened)
                .for_each_concurrent(REPAIRS_AT_ONCE, |(channel, entry)| {
                    let shared = Arc::clone(&shared);
                    async move {
                        if entry.state().position.is_some() {
                            shared.repair(&channel, &entry);
                        } else {
                            shared.locate(&Pattern::from(&channel), &entry).await;
                        }
                        entry.state().tell_blind(&channel);
                    }
                })
                .await;
            for (wildcard, heard) in wildcards {
                for (channel, entry) in shared.behind(&wildcard, &heard).await {
                    shared.repair(&channel, &entry);
                }
            }
        }));
    }

    /// Leaves channels nobody has listened to for a while.
    fn sweep(self: &Arc<Self>) {
        let left = self.registry().sweep(|entry| entry.state().is_over(LINGER));
        if left.is_empty() {
            return;
        }
        let shared = Arc::clone(self);
        self.background.spawn(async move {
            for pattern in left {
                shared.bus.leave(&pattern).await;
            }
        });
    }
}

impl Held {
    /// Hands over what this listener did not ask to leave out and has not seen elsewhere.
    fn give(&self, batch: &Batch) {
        let omits = |delivery: &Arc<Delivery>| self.omit.omits(&delivery.message) || self.has_seen(delivery);
        if !batch.deliveries().iter().any(omits) {
            return self.listener.deliver(batch);
        }
        let wanted: Vec<_> = batch.deliveries().iter().filter(|delivery| !omits(delivery)).cloned().collect();
        if !wanted.is_empty() {
            self.listener.deliver(&Batch::new(wanted));
        }
    }

    fn has_seen(&self, delivery: &Delivery) -> bool {
        let Some(seen) = &self.seen else { return false };
        let position = delivery.message.position.as_ref();
        position.is_some_and(|position| seen.epochs.contains(&position.epoch) && position.offset <= seen.offset)
    }
}
