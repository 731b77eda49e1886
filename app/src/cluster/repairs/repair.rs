//! When data is loaded again, as a value: what happens goes in, the moment to load comes out. Time and chance come in
//! as arguments.
//!
//! Promises: after a gap, and after messages that came without a place in the log, the data is loaded until one load
//! succeeds; and the tabs of a cluster, which learn of it in the same moment, load spread over some seconds.

use std::time::Duration;

use wire::backoff;

/// Over how long tabs spread the first load after a gap.
const SPREAD: Duration = Duration::from_secs(3);
/// How long after the end of an outage instances send what they held back, and other messages arrive behind newer ones.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);
/// Pause before the data is loaded again for a message of that time; doubles each time.
const SETTLE_PAUSE: Duration = Duration::from_secs(1);

/// Whether and when to load again.
#[derive(Debug, Default)]
pub(super) struct Repair {
    /// The moment to load.
    due: Option<Duration>,
    /// Loads that failed in a row.
    failures: u32,
    /// Whether a message without a place in the log was applied while the instances did not hear each other.
    is_unordered: bool,
    /// Whether the instances hear each other.
    is_cluster: bool,
    /// Until then each message may be older than the data.
    settles_until: Duration,
    /// Loads for messages of that time.
    settling_loads: u32,
}

impl Repair {
    /// Messages were lost for good; `dice` is a fresh random number in `0.0..=1.0`, here and below.
    pub(super) fn lost(&mut self, now: Duration, dice: f64) {
        self.load_within(now + SPREAD.mul_f64(dice.clamp(0.0, 1.0)));
    }

    /// A load succeeded: what was lost before it began is not missed any more.
    pub(super) fn loaded(&mut self) {
        self.failures = 0;
    }

    /// A load failed, or what arrived during it was too much to be kept.
    pub(super) fn failed(&mut self, now: Duration, dice: f64) {
        self.load_within(now + backoff::reconnect_delay(self.failures, dice));
        self.failures = self.failures.saturating_add(1);
    }

    /// A message was applied.
    pub(super) fn applied(&mut self, is_unordered: bool, now: Duration, dice: f64) {
        if is_unordered && !self.is_cluster {
            self.is_unordered = true;
        } else if is_unordered {
            // The outage is over, and what was held back is still being sent.
            self.settles_until = now + SETTLES_WITHIN;
        }
        if now < self.settles_until && self.due.is_none() {
            let pause = SETTLE_PAUSE.saturating_mul(2_u32.saturating_pow(self.settling_loads));
            self.settling_loads += 1;
            self.due = Some(now + pause + SETTLE_PAUSE.mul_f64(dice.clamp(0.0, 1.0)));
        }
    }

    /// The instances begin or cease to hear each other.
    pub(super) fn cluster_mode(&mut self, is_cluster: bool, now: Duration, dice: f64) {
        self.is_cluster = is_cluster;
        if is_cluster && std::mem::take(&mut self.is_unordered) {
            self.settles_until = now + SETTLES_WITHIN;
            self.settling_loads = 0;
            self.lost(now, dice);
        }
    }

    /// Whether to load now. Yes is said once.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        self.due.take_if(|due| *due <= now).is_some()
    }

    /// When to ask [`Repair::take`] next.
    pub(super) fn wake_at(&self) -> Option<Duration> {
        self.due
    }

    fn load_within(&mut self, at: Duration) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Lets time pass until a load is due.
    fn next_load(repair: &mut Repair) -> Duration {
        let at = repair.wake_at().unwrap();
        let is_early = at.checked_sub(Duration::from_millis(1)).is_some_and(|before| repair.take(before));
        assert!(!is_early && repair.take(at) && !repair.take(at), "once, and not before");
        at
    }

    #[test]
    fn a_load_that_fails_after_a_gap_is_tried_again_until_it_succeeds() {
        let mut repair = Repair::default();
        repair.lost(Duration::ZERO, 1.0);
        let mut now = next_load(&mut repair);
        let mut pauses = Vec::new();
        for _ in 0..10 {
            repair.failed(now, 1.0);
            let next = next_load(&mut repair);
            pauses.push(next.saturating_sub(now).as_millis());
            now = next;
        }
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
        repair.loaded();
        assert_eq!(repair.wake_at(), None);
        repair.failed(now, 1.0);
        assert_eq!(repair.wake_at(), Some(now + Duration::from_millis(500)), "the next failure is a first one");
    }

    #[test]
    fn the_tabs_of_a_cluster_load_spread_over_some_seconds() {
        let loads = [0.0, 0.5, 1.0].map(|dice| {
            let mut repair = Repair::default();
            repair.lost(Duration::ZERO, dice);
            next_load(&mut repair)
        });
        assert_eq!(loads, [Duration::ZERO, SPREAD / 2, SPREAD]);
    }

    #[test]
    fn a_second_gap_does_not_put_the_load_off() {
        let mut repair = Repair::default();
        repair.lost(Duration::ZERO, 0.2);
        let at = repair.wake_at();
        repair.lost(SECOND / 10, 1.0);
        assert_eq!(repair.wake_at(), at);
    }

    #[test]
    fn after_messages_without_an_order_the_data_is_loaded_when_the_link_is_back() {
        let mut repair = Repair::default();
        repair.cluster_mode(false, Duration::ZERO, 0.5);
        repair.applied(true, SECOND, 0.5);
        assert_eq!(repair.wake_at(), None, "the link is down: nothing else is to be had");
        repair.cluster_mode(true, SECOND * 20, 0.5);
        assert!(next_load(&mut repair) <= SECOND * 20 + SPREAD);
        // What another instance held back comes behind, and may be older than what was loaded.
        let mut loads = Vec::new();
        for tenth in 220..=300 {
            let now = SECOND / 10 * tenth;
            if repair.take(now) {
                loads.push(now);
            }
            repair.applied(false, now, 0.5);
        }
        let last = next_load(&mut repair);
        assert!(last > SECOND / 10 * 299, "behind the last message of that time: {last:?}");
        assert!((1..=4).contains(&loads.len()), "{loads:?}");
        repair.loaded();
        repair.applied(false, SECOND * 60, 0.5);
        assert_eq!(repair.wake_at(), None, "it is over");
    }

    #[test]
    fn an_outage_without_messages_costs_no_load() {
        let mut repair = Repair::default();
        repair.cluster_mode(false, Duration::ZERO, 0.5);
        repair.applied(false, SECOND, 0.5);
        repair.cluster_mode(true, SECOND * 2, 0.5);
        repair.applied(false, SECOND * 3, 0.5);
        assert_eq!(repair.wake_at(), None);
    }

    #[test]
    fn what_comes_without_an_order_while_the_link_is_up_is_repaired_too() {
        let mut repair = Repair::default();
        repair.cluster_mode(true, Duration::ZERO, 0.5);
        repair.applied(true, SECOND, 0.5);
        assert!(next_load(&mut repair) <= SECOND * 3);
    }
}
