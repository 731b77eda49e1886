//! How long to wait before the link is tried again.

use std::time::Duration;

/// The pause after the first failure.
const FIRST: Duration = Duration::from_millis(250);
/// No pause is longer, so that a Redis that is back is soon noticed.
const CEILING: Duration = Duration::from_secs(2);
/// What lives for so long was well: what follows it is not the next of a row of failures.
const LIVED: Duration = Duration::from_secs(5);

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    failures: u32,
}

impl Pauses {
    /// The pause after something that lived for `lived`: none after one that was well; else 250 ms, doubled up to 2 s
    /// with each `round` of failures, of which a random part, at most half, is left out: `dice` is in `0.0..=1.0`.
    /// `round` is how many servers there are to try: each of them is tried before the pause grows.
    pub(super) fn next(&mut self, lived: Duration, round: usize, dice: f64) -> Duration {
        if lived >= LIVED {
            self.failures = 0;
            return Duration::ZERO;
        }
        let rounds = self.failures / u32::try_from(round.max(1)).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let doubled = FIRST.saturating_mul(2_u32.saturating_pow(rounds));
        doubled.min(CEILING).mul_f64(1.0 - dice.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_something_lives() {
        let mut pauses = Pauses::default();
        let mut next = |lived| pauses.next(lived, 1, 0.0).as_millis();
        let soon = Duration::from_secs(4);
        assert_eq!([next(soon), next(soon), next(soon), next(soon), next(soon)], [250, 500, 1_000, 2_000, 2_000]);
        assert_eq!([next(LIVED), next(soon), next(soon)], [0, 250, 500]);
    }

    #[test]
    fn every_server_is_tried_before_a_pause_grows() {
        let mut pauses = Pauses::default();
        let pauses: Vec<_> = (0..7).map(|_| pauses.next(Duration::ZERO, 3, 1.0).as_millis()).collect();
        assert_eq!(pauses, [125, 125, 125, 250, 250, 250, 500]);
    }
}
