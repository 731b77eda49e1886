//! Requests by route and status, minute by minute.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::{
    clock::now_milliseconds,
    histogram::{Histogram, Snapshot},
};

/// Milliseconds of a minute.
pub const MINUTE: u64 = 60_000;
/// Minutes that are kept; the oldest go.
pub const MINUTES: usize = 60;
/// Routes of a minute at most, all statuses counted; more are counted together as [`OTHERS`].
const ROUTES: usize = 2_000;
/// What stands for routes beyond [`ROUTES`].
const OTHERS: &str = "(others)";

/// The requests this instance answered.
#[derive(Default)]
pub(super) struct Requests {
    under_way: AtomicU64,
    total: AtomicU64,
    failures: AtomicU64,
    latency: Histogram,
    minutes: Mutex<VecDeque<Minute>>,
}

/// One minute: how often each `(route, status)` was answered.
#[derive(Default)]
struct Minute {
    /// When it began, in milliseconds since 1970.
    starts_at: u64,
    counts: HashMap<String, BTreeMap<u16, u64>>,
    /// Whether Redis lacks some of it.
    is_unsent: bool,
}

/// One request that is being answered; ends when dropped.
pub struct UnderWay<'a>(&'a Requests);

impl Requests {
    pub(super) fn begin(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Relaxed);
        UnderWay(self)
    }

    /// Counts one that was answered. One lock for a few look-ups.
    pub(super) fn count(&self, route: &str, status: u16, took: Duration) {
        self.total.fetch_add(1, Relaxed);
        if status >= 500 {
            self.failures.fetch_add(1, Relaxed);
        }
        self.latency.record(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let now = now_milliseconds();
        let starts_at = now - now % MINUTE;
        let mut minutes = self.minutes();
        if minutes.back().is_none_or(|last| last.starts_at != starts_at) {
            // Nearly always behind the last; before it when the clock was stepped back.
            let place = minutes.partition_point(|minute| minute.starts_at < starts_at);
            if minutes.get(place).is_none_or(|minute| minute.starts_at != starts_at) {
                minutes.insert(place, Minute { starts_at, ..Minute::default() });
            }
            if minutes.len() > MINUTES {
                minutes.pop_front();
            }
        }
        let Some(minute) = minutes.iter_mut().rev().find(|minute| minute.starts_at == starts_at) else { return };
        minute.is_unsent = true;
        if let Some(statuses) = minute.counts.get_mut(route) {
            *statuses.entry(status).or_default() += 1;
            return;
        }
        let route = if minute.counts.len() < ROUTES { route } else { OTHERS };
        *minute.counts.entry(route.to_owned()).or_default().entry(status).or_default() += 1;
    }

    /// Being answered, answered, answered with 500 and above.
    pub(super) fn totals(&self) -> (u64, u64, u64) {
        (self.under_way.load(Relaxed), self.total.load(Relaxed), self.failures.load(Relaxed))
    }

    pub(super) fn latency(&self) -> Snapshot {
        self.latency.snapshot()
    }

    /// The fields of each minute that Redis lacks some of, by when it began.
    pub(super) fn unsent(&self) -> Vec<(u64, Vec<(String, u64)>)> {
        let minutes = self.minutes();
        minutes.iter().filter(|minute| minute.is_unsent).map(|minute| (minute.starts_at, minute.fields())).collect()
    }

    /// What [`Requests::unsent`] gave of this minute is in Redis; `fields` so many were counted then.
    pub(super) fn sent(&self, starts_at: u64, fields: &[(String, u64)]) {
        let count = |fields: &[(String, u64)]| fields.iter().map(|(_, count)| count).sum::<u64>();
        let mut minutes = self.minutes();
        if let Some(minute) = minutes.iter_mut().find(|minute| minute.starts_at == starts_at) {
            minute.is_unsent = count(&minute.fields()) > count(fields);
        }
    }

    /// The fields of the minutes since then.
    pub(super) fn since(&self, starts_at: u64) -> Vec<(String, u64)> {
        self.minutes().iter().filter(|minute| minute.starts_at >= starts_at).flat_map(Minute::fields).collect()
    }

    fn minutes(&self) -> MutexGuard<'_, VecDeque<Minute>> {
        self.minutes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Minute {
    /// As they stand in Redis: `{route}:{status}`.
    fn fields(&self) -> Vec<(String, u64)> {
        let each = |(route, statuses): (&String, &BTreeMap<u16, u64>)| {
            statuses.iter().map(|(status, count)| (format!("{route}:{status}"), *count)).collect::<Vec<_>>()
        };
        self.counts.iter().flat_map(each).collect()
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_and_status() {
        let requests = Requests::default();
        {
            let _one = requests.begin();
            assert_eq!(requests.totals().0, 1);
        }
        for status in [200, 200, 404, 503] {
            requests.count("/api/1/x/{id}", status, Duration::from_millis(3));
        }
        assert_eq!(requests.totals(), (0, 4, 1));
        let unsent = requests.unsent();
        let (starts_at, fields) = &unsent[0];
        assert!(fields.contains(&("/api/1/x/{id}:200".to_owned(), 2)), "{fields:?}");
        requests.count("/", 200, Duration::ZERO);
        requests.sent(*starts_at, fields);
        assert_eq!(requests.unsent().iter().map(|(_, fields)| fields.len()).max(), Some(4), "one came meanwhile");
        let (starts_at, fields) = requests.unsent().pop().unwrap();
        requests.sent(starts_at, &fields);
        assert_eq!(requests.since(0).iter().map(|(_, count)| count).sum::<u64>(), 5);
    }

    #[test]
    fn routes_beyond_the_bound_are_counted_together() {
        let requests = Requests::default();
        for number in 0..ROUTES + 10 {
            requests.count(&format!("/{number}"), 200, Duration::ZERO);
        }
        let others: u64 = requests.since(0).iter().filter(|(field, _)| field.starts_with(OTHERS)).map(|(_, n)| n).sum();
        // Fewer when a minute began meanwhile.
        assert!(others <= 10, "{others}");
    }
}
