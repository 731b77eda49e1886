//! What time it is.

use std::time::{SystemTime, UNIX_EPOCH};

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
