//! Times and durations as text: relative or a clock for people, ISO-8601 UTC for programs.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

/// ISO-8601 in UTC with milliseconds: `2026-11-22T12:01:07.113Z`.
pub fn iso(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The time of day where the user is: `12:01:07`.
pub fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string()
}

/// How long before `now`: `3 s ago`.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let passed = Duration::try_from(now.duration_since(at)).unwrap_or_default();
    if passed < Duration::from_secs(1) {
        "just now".to_owned()
    } else {
        format!("{} ago", span(passed))
    }
}

/// A duration in its largest fitting unit: `350 ms`, `12 s`, `4 min`, `3 h`, `2 d`.
pub fn span(length: Duration) -> String {
    match length.as_secs() {
        0 => format!("{} ms", length.as_millis()),
        seconds @ 1..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// Milliseconds with one decimal: `1.1 ms`.
pub fn millis(length: Duration) -> String {
    format!("{:.1} ms", length.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_the_rules_say() {
        let at = Timestamp::new(1_795_348_867, 113_456_789).unwrap();
        assert_eq!(iso(at), "2026-11-22T12:01:07.113Z");
        let later = Timestamp::new(1_795_348_870, 200_000_000).unwrap();
        assert_eq!(ago(at, later), "3 s ago");
        assert_eq!(ago(later, at), "just now");
        assert_eq!(span(Duration::from_secs(7_300)), "2 h");
        assert_eq!(millis(Duration::from_micros(1_149)), "1.1 ms");
    }
}
