//! CISA's list of known exploited vulnerabilities, as published and as JSON Lines.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::osv;
use crate::error::ErrorKind;
use crate::{Date, Error};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(rename = "cveID")]
    cve: String,
    date_added: Date,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Catalog {
    date_released: Option<Date>,
    vulnerabilities: Vec<Listed>,
}

/// The listed CVE ids and when each was added.
pub(super) fn lines(name: &str, bytes: &[u8]) -> Result<BTreeMap<String, Date>, Error> {
    osv::lines::<Listed>(name, bytes)
        .map(|listed| listed.map(|listed| (listed.cve, listed.date_added)))
        .collect()
}

/// The same of the catalog as one document, and the day of it.
pub(super) fn catalog(name: &str, bytes: &[u8]) -> Result<(BTreeMap<String, Date>, Option<Date>), Error> {
    let catalog: Catalog = serde_json::from_slice(bytes)
        .map_err(|source| ErrorKind::Document { feed: name.to_owned(), source })?;
    let listed = catalog.vulnerabilities.into_iter().map(|listed| (listed.cve, listed.date_added));
    Ok((listed.collect(), catalog.date_released))
}
