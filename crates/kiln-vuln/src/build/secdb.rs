//! Alpine's secdb and what Wolfi and Chainguard publish in its shape: by package, the version that fixes which
//! vulnerabilities; version `0` says that the package never had them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::FeedKind;
use super::draft::{Draft, DraftBound, DraftSpan};
use super::feed::Packages;
use super::osv::is_id;
use crate::Error;
use crate::database::Status;
use crate::error::ErrorKind;

#[derive(Deserialize)]
struct Document {
    distroversion: Option<String>,
    urlprefix: Option<String>,
    apkurl: Option<String>,
    packages: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    pkg: Fixes,
}

#[derive(Deserialize)]
struct Fixes {
    name: String,
    secfixes: Option<BTreeMap<String, Option<Vec<String>>>>,
}

/// Adds the drafts of one document to `packages`, and says whose it is.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<(FeedKind, Packages), Error> {
    let document: Document = serde_json::from_slice(bytes)
        .map_err(|source| ErrorKind::Document { feed: name.to_owned(), source })?;
    let kind = kind(name, &document);
    let release = document.distroversion.filter(|_| kind == FeedKind::Alpine);
    if kind == FeedKind::Alpine && release.is_none() {
        let why = "it does not say which release it is of";
        return Err(ErrorKind::Feed { feed: name.to_owned(), why }.into());
    }
    let mut packages = Packages::new();
    for Entry { pkg } in document.packages {
        for (version, ids) in pkg.secfixes.unwrap_or_default() {
            for ids in ids.unwrap_or_default() {
                let drafts = packages.entry(pkg.name.clone()).or_default();
                drafts.extend(draft(&ids, &version, release.as_ref(), kind));
            }
        }
    }
    Ok((kind, packages))
}

/// Wolfi and Chainguard are rolling, so their documents name no release; where the packages lie tells them apart.
fn kind(name: &str, document: &Document) -> FeedKind {
    if document.distroversion.is_some() {
        return FeedKind::Alpine;
    }
    let place = [document.urlprefix.as_deref(), document.apkurl.as_deref(), Some(name)];
    let says = |word| place.iter().flatten().any(|text| text.contains(word));
    if says("chainguard") {
        FeedKind::Chainguard
    } else if says("wolfi") {
        FeedKind::Wolfi
    } else {
        FeedKind::Alpine
    }
}

/// One entry: an id, and after blanks its aliases. What looks like no id is left out.
fn draft(ids: &str, version: &str, release: Option<&String>, kind: FeedKind) -> Option<Draft> {
    let mut ids = ids.split_whitespace().filter(|id| is_id(id)).map(str::to_owned);
    let id = ids.next()?;
    let never = version == "0";
    let span = DraftSpan {
        release: release.cloned(),
        status: if never { Status::NotAffected } else { Status::Affected },
        low: None,
        low_exclusive: false,
        high: if never { DraftBound::Open } else { DraftBound::Fixed(version.to_owned()) },
    };
    let mut draft =
        Draft { aliases: ids.collect::<BTreeSet<_>>(), spans: vec![span], ..Draft::new(id, None) };
    draft.prefer(kind.preferred());
    Some(draft)
}
