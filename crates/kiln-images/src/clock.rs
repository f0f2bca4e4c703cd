//! What time it is, by this machine's clock.

use std::time::SystemTime;

/// Seconds since 1970.
pub fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}

/// The same in RFC 3339, to the second.
pub fn timestamp() -> String {
    rfc3339(now())
}

/// Seconds since 1970, in RFC 3339.
pub fn rfc3339(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds);
    time.map_or_else(|_| "1970-01-01T00:00:00Z".to_owned(), |time| time.to_string())
}
