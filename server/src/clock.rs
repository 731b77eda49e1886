//! What time it is.

use std::time::{SystemTime, UNIX_EPOCH};

pub use app::timestamp::rfc3339;

/// Milliseconds since 1970.
pub fn now_milliseconds() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// The present moment, in RFC 3339.
pub fn now() -> String {
    rfc3339(now_milliseconds())
}
