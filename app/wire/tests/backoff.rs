//! When a browser tries again.

use std::time::Duration;

use proptest::prelude::*;
use wire::{backoff::reconnect_delay, close};

proptest! {
    #[test]
    fn a_pause_never_exceeds_its_ceiling(attempt in any::<u32>(), dice in any::<f64>()) {
        let ceiling = Duration::from_millis(500).saturating_mul(2_u32.saturating_pow(attempt));
        let pause = reconnect_delay(attempt, if dice.is_nan() { 0.0 } else { dice });
        prop_assert!(pause <= ceiling.min(Duration::from_secs(30)));
    }
}

#[test]
fn the_ceiling_doubles_from_half_a_second_to_half_a_minute() {
    let ceilings: Vec<u128> = (0..9).map(|attempt| reconnect_delay(attempt, 1.0).as_millis()).collect();
    assert_eq!(ceilings, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    assert_eq!(reconnect_delay(5, 0.0), Duration::ZERO);
}

#[test]
fn only_a_lost_session_and_a_lost_right_are_final() {
    assert!(close::is_final(close::SESSION_EXPIRED) && close::is_final(close::FORBIDDEN));
    for code in [1000, 1001, 1006, close::TOO_BIG, close::RESTART, close::SLOW_CONSUMER] {
        assert!(!close::is_final(code), "{code}");
    }
}
