//! What time images carry.

use kiln_finding::Failure;
use kiln_images::clock::rfc3339;

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
