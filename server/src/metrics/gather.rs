//! Reads what all instances report.

use std::collections::BTreeMap;

use super::{
    Metrics,
    errors::{KEPT, RecordedError},
    record::{Point, Record},
    requests::{MINUTE, MINUTES},
};
use crate::{bus::BusError, clock::now_milliseconds};

/// Who reports: so that nobody who asks has to look through all of Redis.
pub(super) const INSTANCES: &str = "health:instances";
/// The latest errors of all instances.
pub(super) const ERRORS: &str = "errors:recent";

/// Points of an instance's history that are shown.
const POINTS: usize = 60;

/// Requests of all instances in the last minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// By `{route}:{status}`.
    pub fields: BTreeMap<String, u64>,
    /// By instance.
    pub instances: BTreeMap<String, u64>,
}

pub(super) fn record_key(id: &str) -> String {
    format!("health:instance:{id}")
}

pub(super) fn history_key(id: &str) -> String {
    format!("health:history:{id}")
}

pub(super) fn requests_key(id: &str, minute: u64) -> String {
    format!("requests:{id}:{minute}")
}

impl Metrics {
    /// Every instance that runs, this one as it is now, by name. Two questions to Redis, however many there
    /// are; this one alone while there is no Redis.
    pub async fn instances(&self) -> Vec<Record> {
        let own = self.record();
        let others = self.others(&own.instance_id).await.unwrap_or_else(|error| {
            tracing::debug!(%error, "only this instance's metrics are known");
            Vec::new()
        });
        let mut all: Vec<Record> = others.into_iter().chain([own]).collect();
        all.sort_by(|one, other| one.instance_id.cmp(&other.instance_id));
        all
    }

    async fn others(&self, own: &str) -> Result<Vec<Record>, BusError> {
        let Some(keys) = self.shared.keys() else { return Ok(Vec::new()) };
        let mut ids = keys.members(INSTANCES).await?;
        ids.retain(|id| id != own);
        let names: Vec<String> = ids.iter().map(|id| record_key(id)).collect();
        let found = keys.get_all(&names).await?;
        Ok(ids.iter().zip(found).filter_map(|(id, json)| Record::parse(id, &json?)).collect())
    }

    /// What the instances answered in the last `minutes`, the one that runs included.
    pub async fn requests(&self, minutes: usize) -> RequestCounts {
        let now = now_milliseconds();
        let this_minute = now - now % MINUTE;
        let minutes = u64::try_from(minutes.clamp(1, MINUTES)).unwrap_or(1);
        let first = this_minute.saturating_sub((minutes - 1) * MINUTE);
        let own = self.shared.id();
        let mut counts = RequestCounts::default();
        counts.add(own, self.shared.requests.since(first));
        let Some(keys) = self.shared.keys() else { return counts };
        let read = async {
            let mut ids = keys.members(INSTANCES).await?;
            ids.retain(|id| id != own);
            let starts = || (0..minutes).map(move |minute| first + minute * MINUTE);
            let names: Vec<String> =
                ids.iter().flat_map(|id| starts().map(move |start| requests_key(id, start))).collect();
            let found = keys.fields(&names).await?;
            for (place, fields) in found.into_iter().enumerate() {
                let id = &ids[place / usize::try_from(minutes).unwrap_or(1)];
                counts.add(id, fields);
            }
            Ok::<_, BusError>(())
        };
        if let Err(error) = read.await {
            tracing::debug!(%error, "only this instance's requests are known");
        }
        counts
    }

    /// The latest errors of all instances, newest first.
    pub async fn errors(&self, count: usize) -> Vec<RecordedError> {
        let count = count.min(KEPT);
        let mut errors = self.shared.errors.unsent();
        if let Some(keys) = self.shared.keys()
            && let Ok(texts) = keys.first(ERRORS, KEPT).await
        {
            errors.extend(texts.iter().filter_map(|text| serde_json::from_str(text).ok()));
        } else {
            errors = self.shared.errors.latest(count);
        }
        errors.sort_by_key(|error| std::cmp::Reverse(error.timestamp));
        errors.truncate(count);
        errors
    }

    /// The last hour of each of these instances, oldest first, without Redis nothing.
    pub async fn histories(&self, ids: &[String]) -> Vec<Vec<Point>> {
        let names: Vec<String> = ids.iter().map(|id| history_key(id)).collect();
        let Some(keys) = self.shared.keys() else { return vec![Vec::new(); ids.len()] };
        let notes = keys.latest_notes(&names, POINTS).await.unwrap_or_else(|_| vec![Vec::new(); ids.len()]);
        let points = |texts: Vec<String>| texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
        notes.into_iter().map(points).collect()
    }
}

impl RequestCounts {
    fn add(&mut self, id: &str, fields: impl IntoIterator<Item = (String, u64)>) {
        let total = self.instances.entry(id.to_owned()).or_default();
        for (field, count) in fields {
            *total += count;
            *self.fields.entry(field).or_default() += count;
        }
    }
}
