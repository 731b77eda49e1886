//! Token buckets that all instances share.

use std::time::Duration;

use async_trait::async_trait;

use super::BusError;

/// How much may be taken from a bucket: a full one at once, and in the long run one token in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Tokens a full bucket holds.
    pub burst: u32,
    /// How long one token takes to grow back.
    pub every: Duration,
}

impl Quota {
    /// As many a second as this in the long run, twice as many at once.
    pub fn per_second(count: u32) -> Self {
        let count = count.max(1);
        Self { burst: count.saturating_mul(2), every: Duration::from_secs(1) / count }
    }

    /// As many as this in this time: all of them at once, or one behind the other.
    pub fn per(time: Duration, count: u32) -> Self {
        let count = count.max(1);
        Self { burst: count, every: time / count }
    }

    /// How long an empty bucket takes to be full again.
    pub fn refill(self) -> Duration {
        self.every.saturating_mul(self.burst)
    }
}

/// What became of an attempt to take tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The bucket held them.
    All,
    /// It held fewer, and is empty now; after this time it holds one.
    Short(Duration),
}

/// Buckets that survive this instance and count for every other.
#[async_trait]
pub trait Buckets: Send + Sync + 'static {
    /// Takes tokens from the bucket of this name, full when it is new; a negative number gives back.
    /// A bucket that is full again is forgotten.
    ///
    /// # Errors
    ///
    /// When they cannot be reached; some may have been taken then.
    async fn take(&self, bucket: &str, quota: Quota, tokens: i64) -> Result<Taken, BusError>;
}
