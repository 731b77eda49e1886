//! Writes what this instance measures into Redis, again and again.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{Record, Shared, custom, errors, gather};
use crate::{
    bus::{BusError, Keys, Link, Put},
    store::StoreFacts,
};

/// How long a record lives: an instance that stops reporting is gone after it.
const RECORD_LIFE: Duration = Duration::from_secs(30);
/// How long counters and the list of instances live.
const COUNTER_LIFE: Duration = Duration::from_mins(5);
/// How long history and requests live.
const HISTORY_LIFE: Duration = Duration::from_hours(1);
/// How long the store may take to say how it is.
const STORE_WITHIN: Duration = Duration::from_secs(2);
/// Who looks for records of instances that are on no list, and for how long nobody else does.
const LOOKED: &str = "health:looked";
/// How often that is.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Instances at most.
const INSTANCES: usize = 10_000;
/// How long the withdrawal may take at a stop.
const WITHDRAW_WITHIN: Duration = Duration::from_secs(2);

/// Reports until the instance stops: regularly, and when the link comes back.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut link = shared.sources.hub.link();
    let mut due = interval(shared.about.report_every);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_due = async {
            tokio::select! {
                _ = due.tick() => {}
                () = linked(&mut link) => {}
            }
        };
        let collected = async {
            is_due.await;
            shared.collect().await;
        };
        if shared.stop.run_until_cancelled(collected).await.is_none() {
            return;
        }
    }
}

/// Waits until the link comes up.
async fn linked(link: &mut watch::Receiver<Link>) {
    while link.changed().await.is_ok() {
        if *link.borrow_and_update() == Link::Up {
            return;
        }
    }
    std::future::pending::<()>().await;
}

impl Shared {
    async fn collect(&self) {
        self.look_at_store().await;
        let Some(keys) = self.keys() else { return };
        let began = Instant::now();
        if let Err(error) = self.report(keys).await {
            tracing::debug!(%error, "metrics were not reported");
            return;
        }
        let (requests, errors) = tokio::join!(self.send_requests(keys), self.send_errors(keys));
        if let Err(error) = requests.and(errors) {
            tracing::debug!(%error, "requests or errors were not reported; they are next time");
        }
        if let Err(error) = look_for_others(keys).await {
            tracing::debug!(%error, "nobody looked for other instances");
        }
        tracing::trace!(took = ?began.elapsed(), "metrics are reported");
    }

    async fn look_at_store(&self) {
        let store = &self.sources.store;
        let facts = match timeout(STORE_WITHIN, store.facts()).await {
            Ok(facts) => facts,
            Err(_) => StoreFacts::silent(),
        };
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = facts;
    }

    /// Alone: how long it takes is how long Redis takes.
    pub(super) async fn write_record(&self, keys: &Keys) -> Result<Record, BusError> {
        let record = self.record();
        let began = Instant::now();
        keys.put(&gather::record_key(self.id()), &to_json(&record), RECORD_LIFE, Put::Always).await?;
        self.redis_micros.store(u64::try_from(began.elapsed().as_micros()).unwrap_or_default(), Relaxed);
        Ok(record)
    }

    /// The record first, then what belongs to it.
    async fn report(&self, keys: &Keys) -> Result<(), BusError> {
        let record = self.write_record(keys).await?;
        let id = self.id();
        let history = gather::history_key(id);
        let point = to_json(&record.point());
        let counters: Vec<(String, u64)> = self.custom.counters().into_iter().chain(built_in(&record)).collect();
        let counters = counters.iter().map(|(name, count)| async move {
            keys.put(&format!("metric:{name}:{id}"), &count.to_string(), COUNTER_LIFE, Put::Always).await
        });
        tokio::try_join!(
            keys.add_member(gather::INSTANCES, id, HISTORY_LIFE),
            keys.note(&history, record.timestamp, &point, HISTORY_LIFE),
            futures_util::future::try_join_all(counters),
        )?;
        Ok(())
    }

    async fn send_requests(&self, keys: &Keys) -> Result<(), BusError> {
        for (starts_at, fields) in self.requests.unsent() {
            keys.put_fields(&gather::requests_key(self.id(), starts_at), &fields, HISTORY_LIFE).await?;
            self.requests.sent(starts_at, &fields);
        }
        Ok(())
    }

    async fn send_errors(&self, keys: &Keys) -> Result<(), BusError> {
        let unsent = self.errors.unsent();
        let texts: Vec<String> = unsent.iter().map(to_json).collect();
        keys.push(gather::ERRORS, &texts, errors::KEPT).await?;
        self.errors.sent(unsent.len());
        Ok(())
    }

    /// Leaves nothing behind that says this instance runs, and everything it counted.
    pub(super) async fn withdraw(&self) {
        let Some(keys) = self.keys() else { return };
        let id = self.id();
        let mut own = vec![gather::record_key(id)];
        let counters = self.custom.counters().into_iter().map(|(name, _)| name);
        let names = counters.chain(custom::BUILT_IN.map(str::to_owned));
        own.extend(names.map(|name| format!("metric:{name}:{id}")));
        let id = [id.to_owned()];
        let withdrawn = timeout(WITHDRAW_WITHIN, async {
            tokio::join!(
                keys.remove_all(&own),
                keys.remove_members(gather::INSTANCES, &id),
                self.send_requests(keys),
                self.send_errors(keys),
            )
        });
        if withdrawn.await.is_err() {
            tracing::debug!("this instance's metrics expire by themselves");
        }
    }
}

/// What every instance counts, whatever the site's own code counts beside it.
fn built_in(record: &Record) -> impl Iterator<Item = (String, u64)> {
    let users = record.namespaces.iter().map(|namespace| namespace.users).max().unwrap_or_default();
    let counts = [record.traffic.requests, record.traffic.failures, users];
    custom::BUILT_IN.map(str::to_owned).into_iter().zip(counts)
}

/// One instance at a time puts those on the list that are not, and takes off those that are gone.
async fn look_for_others(keys: &Keys) -> Result<(), BusError> {
    if !keys.put(LOOKED, "1", LOOK_EVERY, Put::IfAbsent).await? {
        return Ok(());
    }
    let start = gather::record_key("");
    // The list first: one that joins it meanwhile is not on it, and so not taken off for a record that was not found.
    let listed = keys.members(gather::INSTANCES).await?;
    let found = keys.scan(&start, INSTANCES).await?;
    let found: Vec<&str> = found.iter().filter_map(|key| key.strip_prefix(&start)).collect();
    for id in found.iter().filter(|id| !listed.iter().any(|listed| listed == **id)) {
        keys.add_member(gather::INSTANCES, id, HISTORY_LIFE).await?;
    }
    // One that reports puts itself on the list again.
    let gone: Vec<String> = listed.into_iter().filter(|id| !found.contains(&id.as_str())).collect();
    keys.remove_members(gather::INSTANCES, &gone).await
}

/// Structs of numbers and texts: nothing here can fail to serialise.
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
