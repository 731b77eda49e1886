//! Announcements on their way from the change they are news of to the hub.
//!
//! A collection saves a change and an [`Untold`] announcement of it in one transaction, and puts the
//! announcement on the [`Lane`] behind the commit. The teller (`teller.rs`) takes it from there,
//! publishes it and has it removed. What a crash left behind it finds with [`Outbox::first`].

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::ports::{Announcement, Publisher, StoreError};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use uuid::Uuid;
use wire::{Channel, Payload};

use crate::{clock::now_milliseconds, identity::InstanceId};

/// Announcements a store keeps at most; the oldest are dropped.
pub const KEPT: u64 = 100_000;
/// How long a store keeps an announcement that cannot be published.
pub const KEPT_FOR: Duration = Duration::from_hours(24);

/// Announcements on the lane at most; what falls out is found in the store.
const LANE: usize = 4_096;

/// An announcement that is saved and not yet published for good.
#[derive(Clone, Debug)]
pub struct Untold {
    /// The message's id, decided when the change was saved: a uuid of version 7, which sorts by time.
    pub id: Arc<str>,
    /// When it was saved, in milliseconds since 1970.
    pub at: u64,
    /// What is to be published.
    pub announcement: Announcement,
    /// Announcements of the same document that were saved before and waited still at that time: they
    /// come first.
    pub behind: Vec<Arc<str>>,
}

/// What [`Outbox::first`] finds.
#[derive(Debug, Default)]
pub struct Waiting {
    /// To be told now, in this order.
    pub untold: Vec<Untold>,
    /// Whether something of this instance waits behind what another instance is to tell.
    pub is_blocked: bool,
}

/// The announcements in a store, from their change until they are told.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// Names the instance that tells what is saved from now on, and what an instance of this name left
    /// behind. Said once, before the first change; a change of the id is followed.
    fn own(&self, instance_id: &InstanceId);

    /// What was saved just now.
    fn lane(&self) -> &Lane;

    /// The oldest announcements this instance is to tell, `most` at most, each behind those of the
    /// changes its document had before.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    async fn first(&self, most: usize) -> Result<Waiting, StoreError>;

    /// Makes this instance tell what another one that shares the store has not told for a while.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    async fn take_over(&self) -> Result<(), StoreError>;

    /// Removes what is published for good. Idempotent.
    ///
    /// # Errors
    ///
    /// When the store does not answer; some of it may be removed then.
    async fn remove(&self, ids: &[Arc<str>]) -> Result<(), StoreError>;

    /// Drops what is older than [`KEPT_FOR`] or beyond [`KEPT`]; how many that were.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    async fn shed(&self) -> Result<u64, StoreError>;
}

impl Untold {
    /// Names an announcement that is about to be saved.
    pub(super) fn new(announcement: Announcement) -> Self {
        let id = Uuid::now_v7().to_string().into();
        Self { id, at: now_milliseconds(), announcement, behind: Vec::new() }
    }

    /// As a store keeps it, beside the id.
    pub(super) fn to_json(&self) -> serde_json::Result<String> {
        let Announcement { channel, payload, publisher } = &self.announcement;
        serde_json::to_string(&Record {
            channel: channel.clone(),
            payload: payload.clone(),
            uuid: publisher.uuid.clone(),
            username: publisher.username.clone(),
            at: self.at,
        })
    }

    /// Reads what [`Untold::to_json`] wrote. `None` for anything else, which is logged: it must not keep
    /// those behind it waiting.
    pub(super) fn parse(id: &str, json: &[u8]) -> Option<Self> {
        match serde_json::from_slice(json) {
            Ok(Record { channel, payload, uuid, username, at }) => {
                let announcement =
                    Announcement { channel, payload, publisher: Publisher { uuid, username, ..Publisher::default() } };
                Some(Self { id: id.into(), at, announcement, behind: Vec::new() })
            }
            Err(error) => {
                tracing::error!(id, %error, "a saved announcement cannot be read; it is left out");
                None
            }
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Record {
    channel: Channel,
    payload: Payload,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uuid: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    username: String,
    at: u64,
}

/// Where ids begin that were made at this time, in milliseconds since 1970: those before sort below.
pub(super) fn ids_since(milliseconds: u64) -> String {
    format!("{:08x}-{:04x}", milliseconds >> 16, milliseconds & 0xffff)
}

/// Where ids begin that are not older than [`KEPT_FOR`].
pub(super) fn ids_kept() -> String {
    let kept_for = u64::try_from(KEPT_FOR.as_millis()).unwrap_or(u64::MAX);
    ids_since(now_milliseconds().saturating_sub(kept_for))
}

/// What was committed just now, in the order of the commits, so that telling it needs no look into the
/// store. Holds 4,096 announcements; when full, the oldest falls out and [`Lane::take`] says so.
#[derive(Default)]
pub struct Lane {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    untold: VecDeque<Untold>,
    fell_out: bool,
}

/// What [`Lane::take`] takes.
#[derive(Debug, Default)]
pub struct Taken {
    /// In the order of the commits.
    pub untold: Vec<Untold>,
    /// Whether something before these fell out.
    pub fell_out: bool,
}

impl Lane {
    /// Puts an announcement on the lane; called when its transaction is committed.
    pub(super) fn put(&self, untold: Untold) {
        let mut state = self.state();
        state.untold.push_back(untold);
        if state.untold.len() > LANE {
            state.untold.pop_front();
            state.fell_out = true;
        }
        drop(state);
        self.arrived.notify_one();
    }

    /// Takes the oldest, `most` at most.
    pub fn take(&self, most: usize) -> Taken {
        let mut state = self.state();
        let count = state.untold.len().min(most);
        let untold = state.untold.drain(..count).collect();
        if !state.untold.is_empty() {
            self.arrived.notify_one();
        }
        Taken { untold, fell_out: std::mem::take(&mut state.fell_out) }
    }

    /// Completes when something is on the lane. Cancel safe; for one task.
    pub async fn arrived(&self) {
        self.arrived.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn untold() -> Untold {
        let channel = Channel::parse("view:it:list:changed").unwrap();
        let mut payload = Payload::new();
        payload.insert("$big.key".into(), u64::MAX.into());
        let publisher = Publisher { uuid: Some("tab".into()), username: "mona".into(), ..Publisher::default() };
        Untold::new(Announcement { channel, payload, publisher })
    }

    #[test]
    fn an_announcement_survives_its_text() {
        let saved = untold();
        let read = Untold::parse(&saved.id, saved.to_json().unwrap().as_bytes()).unwrap();
        assert_eq!((&read.id, read.at, &read.announcement), (&saved.id, saved.at, &saved.announcement));
        assert!(Untold::parse(&saved.id, b"{}").is_none());
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let before = now_milliseconds();
        let ids: Vec<_> = (0..1_000).map(|_| untold().id).collect();
        assert!(ids.is_sorted());
        assert!(*ids[0] >= *ids_since(before));
        assert!(*ids[999] < *ids_since(now_milliseconds() + 1));
    }

    #[test]
    fn a_full_lane_keeps_the_newest_and_says_so() {
        let lane = Lane::default();
        let all: Vec<_> = (0..=LANE).map(|_| untold()).collect();
        all.iter().cloned().for_each(|untold| lane.put(untold));
        let taken = lane.take(10);
        assert!(taken.fell_out);
        assert_eq!((taken.untold.len(), &taken.untold[0].id), (10, &all[1].id));
        let rest = lane.take(usize::MAX);
        assert_eq!((rest.untold.len(), rest.fell_out), (LANE - 10, false));
    }
}
