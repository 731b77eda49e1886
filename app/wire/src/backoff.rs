//! When to try again.

use std::time::Duration;

/// Pause before reconnect attempt `attempt`, counted from 0.
///
/// The ceiling doubles from 500 ms to 30 s; `dice`, a fresh random number in `0.0..=1.0`, picks a
/// point below it, so that a restarted instance is not met by every browser at once.
///
/// Source: "full jitter", *Exponential Backoff And Jitter*, AWS Architecture Blog, 2015.
pub fn reconnect_delay(attempt: u32, dice: f64) -> Duration {
    const FIRST: Duration = Duration::from_millis(500);
    const CEILING: Duration = Duration::from_secs(30);
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(attempt));
    doubled.min(CEILING).mul_f64(dice.clamp(0.0, 1.0))
}
