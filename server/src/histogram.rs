//! Durations by how long they took, counted without a lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Upper bounds of the buckets, in milliseconds; one bucket more takes the rest.
pub const BOUNDS: [u64; 11] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500];

/// Counts of durations in milliseconds.
///
/// ```
/// let latency = server::histogram::Histogram::default();
/// latency.record(3);
/// latency.record(4_000);
/// let seen = latency.snapshot();
/// assert_eq!((seen.count(), seen.sum), (2, 4_003));
/// assert_eq!(seen.quantile(0.5), 5);
/// ```
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum: AtomicU64,
}

/// What a [`Histogram`] had counted at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// How many in each bucket.
    pub buckets: [u64; BOUNDS.len() + 1],
    /// Milliseconds in all.
    pub sum: u64,
}

impl Histogram {
    /// Counts one.
    pub fn record(&self, milliseconds: u64) {
        let bucket = BOUNDS.partition_point(|bound| *bound < milliseconds);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum.fetch_add(milliseconds, Relaxed);
    }

    /// What was counted up to now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            buckets: std::array::from_fn(|bucket| self.buckets[bucket].load(Relaxed)),
            sum: self.sum.load(Relaxed),
        }
    }
}

impl Snapshot {
    /// How many in all.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The bound below which this part of all lies, in milliseconds; the last bound for what lies beyond it.
    pub fn quantile(&self, part: f64) -> u64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank"
        )]
        let rank = (self.count() as f64 * part).ceil() as u64;
        let mut seen = 0;
        for (bound, count) in BOUNDS.iter().zip(self.buckets) {
            seen += count;
            if seen >= rank {
                return *bound;
            }
        }
        BOUNDS[BOUNDS.len() - 1]
    }
}
