//! Facts about this process.

use serde_json::{Value, json};

use super::Site;

/// Bytes a page of memory has on every system this runs on.
const PAGE_BYTES: u64 = 4_096;

/// Whole seconds since the start.
pub(super) fn uptime_seconds(site: &Site) -> u64 {
    site.started_at.elapsed().as_secs()
}

/// Memory of this process in bytes; `null` where the operating system does not say.
pub(super) fn memory() -> Value {
    let pages = std::fs::read_to_string("/proc/self/statm").ok().and_then(|text| {
        let mut numbers = text.split_whitespace().map(|number| number.parse::<u64>().ok());
        Some((numbers.next()??, numbers.next()??))
    });
    match pages {
        Some((total, resident)) => json!({ "total": total * PAGE_BYTES, "rss": resident * PAGE_BYTES }),
        None => Value::Null,
    }
}
