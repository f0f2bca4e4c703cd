//! What time it is, by this machine's clock.

use std::time::SystemTime;

use kiln_finding::Failure;

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

/// The time that `SOURCE_DATE_EPOCH` gives, in seconds since 1970, where it gives one. Source: reproducible-builds.org,
/// `docs/source-date-epoch`.
pub fn source_date() -> Result<Option<i64>, Failure> {
    std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .filter(|text| !text.is_empty())
        .map(|text| seconds(&text))
        .transpose()
}

/// Seconds since 1970, as `SOURCE_DATE_EPOCH` has them.
pub fn seconds(text: &str) -> Result<i64, Failure> {
    let seconds = text.parse::<u32>().map_err(|_| {
        Failure::usage(format!("use SOURCE_DATE_EPOCH: `{text}` is no number of seconds since 1970"))
    })?;
    Ok(seconds.into())
}

/// When a document says that it was made, in RFC 3339: as `SOURCE_DATE_EPOCH` says, else now.
pub fn made_at() -> Result<String, Failure> {
    Ok(rfc3339(source_date()?.unwrap_or_else(now)))
}
