//! Times as documents and messages carry them.

use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

/// Milliseconds since 1970, now.
pub fn now() -> i64 {
    let nanoseconds = OffsetDateTime::now_utc().unix_timestamp_nanos();
    i64::try_from(nanoseconds / 1_000_000).unwrap_or_default()
}

/// RFC 3339 in UTC with milliseconds, as JavaScript's `toISOString` writes it.
///
/// A time outside the years 0 to 9999, which only a damaged document holds, becomes 1970.
///
/// ```
/// assert_eq!(app::timestamp::rfc3339(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
/// ```
pub fn rfc3339(milliseconds: i64) -> String {
    const FORMAT: &[BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)
        .ok()
        .filter(|time| (0..=9999).contains(&time.year()))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .format(FORMAT)
        .unwrap_or_default()
}
