use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Feed, osv};
use crate::{Date, Error};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(rename = "cveID")]
    cve: String,
    date_added: Date,
}

/// The listed CVE ids and when each was added.
pub(super) fn read(feed: &Feed<'_>) -> Result<BTreeMap<String, Date>, Error> {
    osv::lines::<Listed>(feed.name, feed.lines)
        .map(|listed| listed.map(|listed| (listed.cve, listed.date_added)))
        .collect()
}
