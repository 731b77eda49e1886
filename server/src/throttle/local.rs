//! The buckets of one instance.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::Quota;

/// Buckets at most; when full ones were forgotten and there are still so many, newcomers share one.
const BUCKETS: usize = 100_000;
/// How often it is looked for full ones at most.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// The name of the bucket newcomers share, which no key has.
const CROWD: &str = "";

/// Buckets that are not full, by their names.
pub(super) struct Local {
    buckets: HashMap<Box<str>, Bucket>,
    swept_at: Instant,
}

#[derive(Clone, Copy)]
struct Bucket {
    /// Every token taken puts this off by the time one takes to grow.
    full_at: Instant,
    /// The shared bucket is empty until then.
    refused_until: Instant,
    /// Tokens taken here that the shared bucket has not heard of.
    owed: u32,
}

/// What became of an attempt to take a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spent {
    /// It was taken, and need not be reported yet.
    Quietly,
    /// It was taken; so many are to be reported now, by the caller alone.
    Owed(u32),
    /// There is none; there will be one after this time.
    Nothing(Duration),
}

impl Local {
    pub(super) fn new(now: Instant) -> Self {
        Self { buckets: HashMap::new(), swept_at: now }
    }

    /// Takes a token; when `reported_at` tokens are owed, they are the caller's to report.
    pub(super) fn spend(&mut self, name: &str, quota: Quota, reported_at: u32, now: Instant) -> Spent {
        let bucket = self.bucket(name, now);
        if bucket.refused_until > now {
            return Spent::Nothing(bucket.refused_until - now);
        }
        let full_at = bucket.full_at.max(now) + quota.every;
        if full_at > now + quota.refill() {
            return Spent::Nothing(full_at - (now + quota.refill()));
        }
        bucket.full_at = full_at;
        bucket.owed += 1;
        if bucket.owed < reported_at { Spent::Quietly } else { Spent::Owed(std::mem::take(&mut bucket.owed)) }
    }

    /// The shared bucket is empty until then.
    pub(super) fn refuse(&mut self, name: &str, until: Instant) {
        if let Some(bucket) = self.known(name) {
            bucket.refused_until = bucket.refused_until.max(until);
        }
    }

    /// A report did not get through: the next one tells of these tokens too, of a burst at most.
    pub(super) fn owe(&mut self, name: &str, tokens: u32, quota: Quota) {
        if let Some(bucket) = self.known(name) {
            bucket.owed = bucket.owed.saturating_add(tokens).min(quota.burst);
        }
    }

    /// Puts a token back; whether the shared bucket has heard of it.
    pub(super) fn refund(&mut self, name: &str, quota: Quota, now: Instant) -> bool {
        let Some(bucket) = self.known(name) else { return true };
        bucket.full_at = bucket.full_at.checked_sub(quota.every).unwrap_or(now);
        let is_reported = bucket.owed == 0;
        bucket.owed = bucket.owed.saturating_sub(1);
        is_reported
    }

    fn known(&mut self, name: &str) -> Option<&mut Bucket> {
        let name = if self.buckets.contains_key(name) { name } else { CROWD };
        self.buckets.get_mut(name)
    }

    fn bucket(&mut self, name: &str, now: Instant) -> &mut Bucket {
        let is_crowded = !self.buckets.contains_key(name) && self.buckets.len() >= BUCKETS;
        if is_crowded && now.duration_since(self.swept_at) >= SWEEP_EVERY {
            self.swept_at = now;
            self.buckets.retain(|_, bucket| bucket.full_at > now || bucket.refused_until > now);
        }
        let is_known = self.buckets.contains_key(name);
        let name = if is_known || self.buckets.len() < BUCKETS { name } else { CROWD };
        self.buckets.entry(name.into()).or_insert(Bucket { full_at: now, refused_until: now, owed: 0 })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.buckets.len()
    }
}
