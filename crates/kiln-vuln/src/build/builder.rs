use std::collections::{BTreeMap, BTreeSet};

use super::assemble::{Collected, assemble};
use super::debian::Debian;
use super::feed::Packages;
use super::marks::Marks;
use super::recognise::{Recognised, Shape, recognise, shape};
use super::{FeedKind, epss, kev, merge, node, osv, secdb, tracker};
use crate::error::ErrorKind;
use crate::{Date, Error};

/// Most bytes of one document. The largest there is, Debian's tracker, takes a tenth of it.
const MAX_DOCUMENT: usize = 1 << 30;
/// Most records of all documents together. All of OSV has a fifth.
const MAX_RECORDS: usize = 5_000_000;

/// Collects documents as their publishers write them, and makes a database of them.
#[derive(Default)]
pub struct Builder {
    packages: BTreeMap<FeedKind, Packages>,
    debian: Debian,
    marks: Marks,
    known: BTreeMap<FeedKind, Known>,
    records: usize,
}

/// Where the facts of a slice are from.
#[derive(Default)]
struct Known {
    sources: BTreeSet<&'static str>,
    /// The newest date of a record, or of a document without dates.
    as_of: Option<Date>,
    /// A feed of its own was added; what feeds of others mention in passing makes no slice, which would claim to be complete.
    is_followed: bool,
}

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// Which kind of document it is.
    pub what: &'static str,
    /// How many records it had that kiln keeps.
    pub records: usize,
}

impl Builder {
    /// What a document is; only [`Recognised::Feed`] can be added.
    pub fn recognise(bytes: &[u8]) -> Recognised {
        recognise(bytes)
    }

    /// Adds a document. `name` is for errors; `date` is its own, for documents that have none inside.
    ///
    /// Fails on a document of no known kind and on a broken one: a database that lacks what somebody asked for is none.
    pub fn add(&mut self, name: &str, bytes: &[u8], date: Option<Date>) -> Result<Added, Error> {
        let refuse = |why| Error::from(ErrorKind::Feed { feed: name.to_owned(), why });
        if bytes.len() > MAX_DOCUMENT {
            return Err(refuse("it is larger than any feed there is"));
        }
        let unknown = || match recognise(bytes) {
            Recognised::Broken => refuse("it is broken off or damaged"),
            _ => refuse("it is no advisory feed that kiln knows"),
        };
        let added = match shape(bytes).ok_or_else(unknown)? {
            Shape::Osv => {
                let record = serde_json::from_slice(bytes)
                    .map_err(|source| ErrorKind::Document { feed: name.to_owned(), source })?;
                Added { what: "an OSV record", records: self.osv(name, record)? }
            }
            Shape::OsvLines => {
                let mut records = 0;
                for record in osv::lines(name, bytes) {
                    records += self.osv(name, record?)?;
                }
                Added { what: "OSV records", records }
            }
            Shape::Secdb => {
                let (kind, packages) = secdb::read(name, bytes)?;
                let records = self.absorb(kind, packages);
                self.know(kind, "secdb", date);
                Added { what: "a secdb", records }
            }
            Shape::Tracker => {
                let records = self.debian.tracker(tracker::read(name, bytes)?);
                self.know(FeedKind::Debian, "Debian security tracker", date);
                Added { what: "the tracker of Debian", records }
            }
            Shape::Kev | Shape::KevLines => {
                let (listed, released) = if shape(bytes) == Some(Shape::Kev) {
                    kev::catalog(name, bytes)?
                } else {
                    (kev::lines(name, bytes)?, None)
                };
                let newest = released.or(listed.values().max().copied()).or(date);
                self.know(FeedKind::Kev, "CISA Known Exploited Vulnerabilities", newest);
                let records = listed.len();
                self.marks.exploited.extend(listed);
                Added { what: "CISA's list", records }
            }
            Shape::Epss => {
                let text = std::str::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8"))?;
                let (likely, day) = epss::read(name, text)?;
                self.know(FeedKind::Epss, "FIRST EPSS", day.or(date));
                let records = likely.len();
                self.marks.likely.extend(likely);
                Added { what: "probabilities of exploitation", records }
            }
            Shape::NodeIndex => {
                let packages = node::index(name, bytes)?;
                let records = self.absorb(FeedKind::Node, packages);
                self.know(FeedKind::Node, "nodejs/security-wg vuln/core", date);
                Added { what: "Node.js core's index", records }
            }
        };
        self.records += added.records;
        if self.records > MAX_RECORDS {
            return Err(refuse("with it there are more records than all feeds there are have"));
        }
        Ok(added)
    }

    /// The bytes of a database. `today` dates what has no date of its own.
    ///
    /// Fails where nothing was added that names a package: an empty database would call everything unknown.
    pub fn finish(mut self, today: Date) -> Result<Vec<u8>, Error> {
        let debian = self.debian.finish();
        if !debian.is_empty() {
            self.packages.insert(FeedKind::Debian, debian);
        }
        if self.packages.values().all(BTreeMap::is_empty) {
            return Err(ErrorKind::NoFeeds.into());
        }
        let mut collected = Vec::new();
        for kind in FeedKind::ALL {
            let Some(known) = self.known.get(&kind).filter(|known| known.is_followed) else { continue };
            let mut packages = self.packages.remove(&kind).unwrap_or_default();
            if matches!(kind, FeedKind::Alpine | FeedKind::Wolfi | FeedKind::Chainguard) {
                for drafts in packages.values_mut() {
                    *drafts = merge::join(std::mem::take(drafts));
                }
            }
            let source = known.sources.iter().copied().collect::<Vec<_>>().join(", ");
            let as_of = known.as_of.unwrap_or(today).min(today);
            collected.push(Collected { kind, name: kind.name().to_owned(), source, as_of, packages });
        }
        Ok(assemble(collected, &self.marks))
    }

    fn osv(&mut self, name: &str, record: osv::Record) -> Result<usize, Error> {
        let mut kinds: Vec<FeedKind> = record
            .affected
            .iter()
            .filter_map(|affected| FeedKind::of_osv(&affected.package.as_ref()?.ecosystem))
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        self.marks.judge(&record);
        let newest = record.modified.max(record.published);
        let mut records = 0;
        let alone = kinds.len() == 1;
        for kind in kinds {
            let known = self.known.entry(kind).or_default();
            known.sources.insert("OSV");
            known.as_of = known.as_of.max(newest);
            known.is_followed |= alone;
            records += match kind {
                FeedKind::Debian => continue,
                FeedKind::Node => {
                    let packages = node::of_record(name, &record)?;
                    self.absorb(kind, packages)
                }
                _ => self.absorb(kind, osv::of_record(kind, &record)),
            };
        }
        Ok(records + self.debian.osv(record))
    }

    fn absorb(&mut self, kind: FeedKind, packages: Packages) -> usize {
        let into = self.packages.entry(kind).or_default();
        let mut records = 0;
        for (name, drafts) in packages {
            records += drafts.len();
            into.entry(name).or_default().extend(drafts);
        }
        records
    }

    fn know(&mut self, kind: FeedKind, source: &'static str, date: Option<Date>) {
        let known = self.known.entry(kind).or_default();
        known.sources.insert(source);
        known.as_of = known.as_of.max(date);
        known.is_followed = true;
    }
}
