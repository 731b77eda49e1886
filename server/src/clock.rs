//! Time and chance, which the rest takes as arguments.

use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

/// Milliseconds since 1970.
pub fn now_milliseconds() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// RFC 3339 in UTC with milliseconds, of milliseconds since 1970.
pub fn rfc3339(milliseconds: u64) -> String {
    app::timestamp::rfc3339(i64::try_from(milliseconds).unwrap_or_default())
}

/// The present moment, in RFC 3339.
pub fn now() -> String {
    rfc3339(now_milliseconds())
}

/// A random number in `0.0..=1.0`, for pauses that must not end all at once.
pub fn dice() -> f64 {
    let (bits, _) = Uuid::new_v4().as_u64_pair();
    // The upper half: the lower one holds the id's version.
    f64::from(u32::try_from(bits >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_fall_between_nothing_and_all() {
        assert!((0..1_000).map(|_| dice()).all(|dice| (0.0..=1.0).contains(&dice)));
    }
}
