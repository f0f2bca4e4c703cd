//! What time images carry.

use kiln_finding::Failure;
use kiln_images::clock::{rfc3339, seconds, source_date};

/// The time that files carry and the one the image says: `given`, or `SOURCE_DATE_EPOCH`, or the start of 1970, so that
/// equal inputs give equal images.
pub(crate) fn image_times(given: Option<&str>) -> Result<(u64, String), Failure> {
    let epoch = match given.filter(|text| !text.is_empty()) {
        Some(text) => seconds(text)?,
        None => source_date()?.unwrap_or_default(),
    };
    Ok((epoch.unsigned_abs(), rfc3339(epoch)))
}
