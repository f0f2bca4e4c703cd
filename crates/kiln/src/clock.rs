//! What time it is, by this machine's clock.

use std::time::SystemTime;

use kiln_finding::Failure;

/// The time that files carry and the one the image says: `given`, or `SOURCE_DATE_EPOCH`, or the start of 1970, so that
/// equal inputs give equal images.
pub(crate) fn image_times(given: Option<String>) -> Result<(u64, String), Failure> {
    let given = given.or_else(|| std::env::var("SOURCE_DATE_EPOCH").ok());
    let epoch = match given.filter(|text| !text.is_empty()) {
        None => 0,
        Some(text) => text.parse::<u32>().map_err(|_| {
            Failure::usage(format!("use SOURCE_DATE_EPOCH: `{text}` is no number of seconds since 1970"))
        })?,
    };
    Ok((epoch.into(), rfc3339(epoch.into())))
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}

/// The same in RFC 3339, to the second.
pub(crate) fn timestamp() -> String {
    rfc3339(now())
}

/// Seconds since 1970, in RFC 3339.
pub(crate) fn rfc3339(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds);
    time.map_or_else(|_| "1970-01-01T00:00:00Z".to_owned(), |time| time.to_string())
}
