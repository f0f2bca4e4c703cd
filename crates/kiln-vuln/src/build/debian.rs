//! Debian: the CVE feed answers for the releases it follows; the lists of DSAs and DLAs fill in older releases and CVEs the
//! feed does not know.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::feed::{Feed, Packages};
use super::osv::{Record, draft, lines, spans};
use super::{FeedKind, merge};
use crate::Error;

/// Collects what is said of Debian's packages.
#[derive(Default)]
pub(super) struct Debian {
    packages: Packages,
    /// Package, release and CVE that the CVE feed speaks of.
    known: BTreeSet<(String, String, String)>,
    /// Records that count only where the CVE feed is silent.
    supplements: Vec<Record>,
}

pub(super) fn read(feed: &Feed<'_>) -> Result<Packages, Error> {
    let mut debian = Debian::default();
    for record in lines::<Record>(feed.name, feed.lines) {
        debian.main(&record?);
    }
    for record in lines::<Record>(feed.name, feed.supplement.unwrap_or_default()) {
        debian.supplements.push(record?);
    }
    Ok(debian.finish())
}

impl Debian {
    /// Adds an OSV record; 0 or 1 were kept.
    pub(super) fn osv(&mut self, record: Record) -> usize {
        let is_debian = |affected: &super::osv::Affected| {
            affected
                .package
                .as_ref()
                .is_some_and(|package| FeedKind::of_osv(&package.ecosystem) == Some(FeedKind::Debian))
        };
        if record.withdrawn.is_some() || !record.affected.iter().any(is_debian) {
            return 0;
        }
        if record.id.starts_with("DSA-") || record.id.starts_with("DLA-") {
            self.supplements.push(record);
        } else {
            self.main(&record);
        }
        1
    }

    /// Adds what the tracker says; how many were kept.
    pub(super) fn tracker(&mut self, packages: Packages) -> usize {
        let mut records = 0;
        for (name, drafts) in packages {
            for draft in &drafts {
                for release in draft.spans.iter().filter_map(|span| span.release.as_ref()) {
                    self.known.insert((name.clone(), release.clone(), draft.id.clone()));
                }
            }
            records += drafts.len();
            self.packages.entry(name).or_default().extend(drafts);
        }
        records
    }

    fn main(&mut self, record: &Record) {
        let id = record.upstream.first().unwrap_or(&record.id);
        for package in record.affected.iter().filter_map(|affected| affected.package.as_ref()) {
            let release = package.ecosystem.split_once(':').map_or("", |(_, release)| release);
            self.known.insert((package.name.clone(), release.to_owned(), id.clone()));
        }
        add(&mut self.packages, record, id, |_, _| true);
    }

    /// The drafts, those of one CVE joined.
    pub(super) fn finish(&mut self) -> Packages {
        for record in std::mem::take(&mut self.supplements) {
            for id in record.cves() {
                add(&mut self.packages, &record, &id, |name, release| {
                    !self.known.contains(&(name.to_owned(), release.to_owned(), id.clone()))
                });
            }
        }
        for drafts in self.packages.values_mut() {
            *drafts = merge::join(std::mem::take(drafts));
        }
        std::mem::take(&mut self.packages)
    }
}

fn add(packages: &mut Packages, record: &Record, id: &str, wanted: impl Fn(&str, &str) -> bool) {
    for affected in &record.affected {
        let Some(package) = &affected.package else { continue };
        let release = package.ecosystem.split_once(':').map_or("", |(_, release)| release);
        let skipped =
            matches!(affected.database_specific.status.as_deref(), Some("not-affected" | "end-of-life"));
        if skipped || !wanted(&package.name, release) {
            continue;
        }
        let mut draft = Draft { id: id.to_owned(), ..draft(record, spans(record, affected)) };
        // A DSA is about several CVEs, so it is no alias of any of them.
        draft.aliases.clear();
        packages.entry(package.name.clone()).or_default().push(draft);
    }
}
