//! Moments, first as the server writes them, then as people say them.

use std::time::Duration;

use leptos::prelude::*;
use web_sys::js_sys::Date;

/// How often "2 minutes ago" is looked at again.
const TICK: Duration = Duration::from_secs(10);

/// Milliseconds since 1970, now and again; `None` on the server and until the page is alive.
#[derive(Clone, Copy)]
struct Now(ReadSignal<Option<f64>>);

/// Makes [`RelativeTime`] work below the calling component: one clock for the whole page.
pub fn provide_clock() {
    let (now, set_now) = signal(None);
    Effect::new(move |_| {
        set_now.set(Some(Date::now()));
        if let Ok(timer) = set_interval_with_handle(move || set_now.set(Some(Date::now())), TICK) {
            on_cleanup(move || timer.clear());
        }
    });
    provide_context(Now(now));
}

/// A moment. The server writes it in full and in UTC, the same for everybody; the living page says how
/// long ago it was and keeps saying it right.
#[component]
pub fn RelativeTime(
    /// RFC 3339, in UTC.
    #[prop(into)]
    at: String,
) -> impl IntoView {
    let Now(now) = expect_context();
    let written_out = absolute(&at);
    let text = {
        let (at, written_out) = (at.clone(), written_out.clone());
        move || match now.get() {
            Some(now) => {
                let moment = Date::parse(&at);
                if moment.is_nan() { written_out.clone() } else { relative((now - moment) / 1000.0) }
            }
            None => written_out.clone(),
        }
    };
    view! { <time datetime=at title=written_out>{text}</time> }.into_any()
}

/// `2026-11-21T21:40:12.345Z` as `2026-11-21 21:40 UTC`; what is shaped otherwise stays as it is.
fn absolute(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(10..11), rfc3339.get(11..16)) {
        (Some(date), Some("T"), Some(time)) if rfc3339.ends_with('Z') => format!("{date} {time} UTC"),
        _ => rfc3339.to_owned(),
    }
}

/// How long ago, in the largest unit that fits. A clock that is a little slow makes nothing "in the future".
fn relative(seconds: f64) -> String {
    const MINUTE: f64 = 60.0;
    const HOUR: f64 = 60.0 * MINUTE;
    const DAY: f64 = 24.0 * HOUR;
    let (count, unit) = match seconds {
        s if s < 45.0 => return "just now".to_owned(),
        s if s < HOUR => ((s / MINUTE).round().max(1.0), "minute"),
        s if s < DAY => ((s / HOUR).floor(), "hour"),
        s => ((s / DAY).floor(), "day"),
    };
    let plural = if count > 1.0 { "s" } else { "" };
    format!("{count} {unit}{plural} ago")
}

/// The two largest units of a time span.
pub fn time_span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::{absolute, relative, time_span};

    #[test]
    fn a_time_span_is_told_in_its_two_largest_units() {
        assert_eq!(time_span(59), "59 s");
        assert_eq!(time_span(61), "1 min 1 s");
        assert_eq!(time_span(7_260), "2 h 1 min");
        assert_eq!(time_span(90_000), "1 d 1 h");
    }

    #[test]
    fn the_server_writes_a_moment_in_full() {
        assert_eq!(absolute("2026-11-21T21:40:12.345Z"), "2026-11-21 21:40 UTC");
        assert_eq!(absolute("soon"), "soon");
        assert_eq!(absolute("2026-11-21T21:40:12+01:00"), "2026-11-21T21:40:12+01:00");
    }

    #[test]
    fn the_page_says_how_long_ago_it_was() {
        assert_eq!(relative(-30.0), "just now");
        assert_eq!(relative(46.0), "1 minute ago");
        assert_eq!(relative(150.0), "3 minutes ago");
        assert_eq!(relative(3_600.0), "1 hour ago");
        assert_eq!(relative(200_000.0), "2 days ago");
    }
}
