//! OSV records to drafts. Source: OSV schema 1.7.

use std::collections::{BTreeMap, BTreeSet};

use kiln_finding::Severity;
use kiln_pkg::version::pypi::normal_name;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::FeedKind;
use super::draft::{Draft, DraftBound, DraftSpan};
use super::feed::{Feed, Packages};
use super::tracker::urgency;
use crate::database::Status;
use crate::error::ErrorKind;
use crate::judged::{JudgedBy, Judgement};
use crate::score::Cvss;
use crate::{Date, Error};

#[derive(Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    pub(super) upstream: Vec<String>,
    pub(super) published: Option<Date>,
    pub(super) modified: Option<Date>,
    pub(super) withdrawn: Option<String>,
    #[serde(default)]
    related: Vec<String>,
    #[serde(default)]
    pub(super) affected: Vec<Affected>,
    #[serde(default)]
    severity: Vec<Score>,
    #[serde(default)]
    pub(super) database_specific: RecordSpecific,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecordSpecific {
    severity: Option<String>,
    status: Option<String>,
    #[serde(default, rename = "cwe_ids")]
    cwes: Vec<String>,
    #[serde(rename = "status_2024")]
    status_2024: Option<String>,
    pub(super) affected_environments: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Score {
    #[serde(rename = "type", default)]
    kind: String,
    score: String,
}

/// `ecosystem_specific` of Debian's records.
#[derive(Default, Deserialize)]
struct EcosystemSpecific {
    urgency: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Affected {
    /// Absent where only a repository is named.
    pub(super) package: Option<PackageName>,
    #[serde(default)]
    severity: Vec<Score>,
    #[serde(default)]
    ranges: Vec<RangeRecord>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    pub(super) database_specific: AffectedSpecific,
    #[serde(default)]
    ecosystem_specific: Lax,
}

#[derive(Deserialize)]
pub(super) struct PackageName {
    pub(super) ecosystem: String,
    pub(super) name: String,
}

#[derive(Default, Deserialize)]
pub(super) struct AffectedSpecific {
    #[serde(default)]
    not_affected: bool,
    pub(super) status: Option<String>,
    pub(super) vulnerable: Option<String>,
    pub(super) patched: Option<String>,
}

/// What others than Debian write there is of no use here, and may have any form.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lax {
    Read(EcosystemSpecific),
    Other(IgnoredAny),
}

impl Default for Lax {
    fn default() -> Self {
        Self::Read(EcosystemSpecific::default())
    }
}

#[derive(Deserialize)]
struct RangeRecord {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    events: Vec<BTreeMap<String, String>>,
    #[serde(default)]
    database_specific: RangeSpecific,
}

#[derive(Default, Deserialize)]
struct RangeSpecific {
    upper_bound: Option<String>,
    #[serde(default)]
    introduced_exclusive: bool,
}

/// The records of a feed of JSON lines.
pub(super) fn lines<'a, T: DeserializeOwned>(
    feed: &'a str,
    bytes: &'a [u8],
) -> impl Iterator<Item = Result<T, Error>> + 'a {
    bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()).map(
        move |(at, line)| {
            serde_json::from_slice(line)
                .map_err(|source| ErrorKind::Record { feed: feed.to_owned(), line: at + 1, source }.into())
        },
    )
}

/// Reads a feed of any kind that has no rules of its own.
pub(super) fn read(feed: &Feed<'_>) -> Result<Packages, Error> {
    let mut packages = Packages::new();
    for record in lines::<Record>(feed.name, feed.lines) {
        for (name, drafts) in of_record(feed.kind, &record?) {
            packages.entry(name).or_default().extend(drafts);
        }
    }
    Ok(packages)
}

/// What a record says of packages of `kind`.
pub(super) fn of_record(kind: FeedKind, record: &Record) -> Packages {
    let mut packages = Packages::new();
    if record.withdrawn.is_some() {
        return packages;
    }
    let mut about: BTreeMap<&str, Vec<DraftSpan>> = BTreeMap::new();
    for affected in &record.affected {
        if let Some(package) = &affected.package
            && FeedKind::of_osv(&package.ecosystem) == Some(kind)
        {
            about.entry(&package.name).or_default().extend(spans(record, affected));
        }
    }
    for (name, mut spans) in about {
        if kind == FeedKind::Npm {
            close_at_next(&mut spans);
        }
        let mut draft = draft(record, spans);
        draft.prefer(kind.preferred());
        let name = if kind == FeedKind::PyPi { normal_name(name) } else { name.to_owned() };
        packages.entry(name).or_default().push(draft);
    }
    packages
}

impl Record {
    /// The CVEs that a record about several of them names; itself where it names none.
    pub(super) fn cves(&self) -> Vec<String> {
        if !self.upstream.is_empty() {
            return self.upstream.clone();
        }
        let named = self.related.iter().chain(&self.aliases).filter(|id| id.starts_with("CVE-"));
        let named: BTreeSet<String> = named.cloned().collect();
        if named.is_empty() { vec![self.id.clone()] } else { named.into_iter().collect() }
    }

    /// The CVE that the record is about, where it is one.
    pub(super) fn only_cve(&self) -> Option<&str> {
        let all = std::iter::once(&self.id).chain(&self.aliases).chain(&self.upstream);
        let cves: BTreeSet<&str> = all.filter(|id| id.starts_with("CVE-")).map(String::as_str).collect();
        cves.first().copied().filter(|_| cves.len() == 1)
    }

    /// What Ubuntu's security team says. Source: OSV schema 1.7, "severity[].type", `Ubuntu`.
    pub(super) fn ubuntu_priority(&self) -> Severity {
        let of_packages = self.affected.iter().flat_map(|affected| &affected.severity);
        let priorities = self.severity.iter().chain(of_packages).filter(|score| score.kind == "Ubuntu");
        priorities.map(|score| Severity::read(&score.score)).max().unwrap_or(Severity::Unknown)
    }

    /// What Debian's security team says, in any release.
    fn debian_urgency(&self) -> Severity {
        let urgencies = self.affected.iter().filter_map(|affected| match &affected.ecosystem_specific {
            Lax::Read(specific) => specific.urgency.as_deref(),
            Lax::Other(_) => None,
        });
        urgencies.map(urgency).max().unwrap_or(Severity::Unknown)
    }

    /// The worst of the vectors.
    pub(super) fn cvss(&self) -> Option<Cvss> {
        let of_packages = self.affected.iter().flat_map(|affected| &affected.severity);
        let vectors = self.severity.iter().chain(of_packages).filter_map(|score| Cvss::read(&score.score));
        vectors.max_by(|a, b| (a.score, &a.vector).cmp(&(b.score, &b.vector)))
    }
}

pub(super) fn draft(record: &Record, spans: Vec<DraftSpan>) -> Draft {
    let cvss = record.cvss();
    let judged = judgement(record, cvss.as_ref());
    let aliases = record.aliases.iter().chain(&record.upstream).filter(|id| is_id(id) && **id != record.id);
    let cwe = |text: &String| text.strip_prefix("CWE-")?.parse().ok();
    Draft {
        aliases: aliases.cloned().collect(),
        cvss,
        cwes: record.database_specific.cwes.iter().filter_map(cwe).collect(),
        published: record.published,
        newest: record.modified.max(record.published),
        stale: record.id.starts_with("NSWG-ECO-") || record.database_specific.status_2024.is_some(),
        spans,
        ..Draft::new(record.id.clone(), judged)
    }
}

/// Whoever published the record knows best, then the vector that came with it.
fn judgement(record: &Record, cvss: Option<&Cvss>) -> Option<Judgement> {
    let severity = record.database_specific.severity.as_deref().map_or(Severity::Unknown, Severity::read);
    // OSV's malware records carry no severity; there is no mild one.
    let severity = if record.id.starts_with(crate::id::MALWARE) { Severity::Critical } else { severity };
    Judgement::new(severity, JudgedBy::Publisher)
        .or_else(|| Judgement::new(record.debian_urgency(), JudgedBy::DebianUrgency))
        .or_else(|| Judgement::new(cvss?.severity(), JudgedBy::Cvss))
}

/// Feeds hold fragments such as `CVE` and `N/A` where an id should be.
pub(super) fn is_id(text: &str) -> bool {
    text.starts_with("GHSA-") || text.contains('-') && text.bytes().any(|byte| byte.is_ascii_digit())
}

pub(super) fn spans(record: &Record, affected: &Affected) -> Vec<DraftSpan> {
    let ecosystem = affected.package.as_ref().map_or("", |package| package.ecosystem.as_str());
    let release = ecosystem.split_once(':').map(|(_, release)| release.to_owned());
    let status = if record.database_specific.status.as_deref() == Some("fix-not-planned") {
        Status::WontFix
    } else {
        Status::Affected
    };
    let span = |low: Option<String>, high| DraftSpan {
        release: release.clone(),
        status,
        low,
        low_exclusive: false,
        high,
    };
    if affected.database_specific.not_affected {
        return vec![DraftSpan { status: Status::NotAffected, ..span(None, DraftBound::Open) }];
    }
    let ranges = || affected.ranges.iter().filter(|range| range.kind != "GIT");
    // Where there are ranges, the list of versions only spells them out.
    let listed = if ranges().next().is_none() { affected.versions.as_slice() } else { &[] };
    let mut found: Vec<DraftSpan> =
        listed.iter().map(|version| span(Some(version.clone()), DraftBound::Last(version.clone()))).collect();
    for range in ranges() {
        let unknown = range.database_specific.upper_bound.as_deref() == Some("unknown");
        let open = if unknown { DraftBound::Unknown } else { DraftBound::Open };
        let mut low: Option<Option<String>> = None;
        for (kind, version) in range.events.iter().flatten() {
            let high = match kind.as_str() {
                "introduced" => {
                    // A second start without an end: the first run goes on until there.
                    if low.is_none() {
                        low = Some((version != "0").then(|| version.clone()));
                    }
                    continue;
                }
                "fixed" => DraftBound::Fixed(version.clone()),
                "last_affected" => DraftBound::Last(version.clone()),
                _ => continue,
            };
            if let Some(low) = low.take() {
                let low_exclusive = range.database_specific.introduced_exclusive && low.is_some();
                found.push(DraftSpan { low_exclusive, ..span(low, high) });
            }
        }
        if let Some(low) = low {
            let low_exclusive = range.database_specific.introduced_exclusive && low.is_some();
            found.push(DraftSpan { low_exclusive, ..span(low, open) });
        }
    }
    found
}

/// A run whose end the feed lost ends at the latest where the next run of the same advisory starts.
fn close_at_next(spans: &mut [DraftSpan]) {
    use kiln_pkg::version::SemVer;
    let lows: Vec<SemVer> =
        spans.iter().filter_map(|span| SemVer::parse_bound(span.low.as_deref()?)).collect();
    for span in spans.iter_mut().filter(|span| span.high == DraftBound::Unknown) {
        let own = span.low.as_deref().and_then(SemVer::parse_bound);
        let next = lows.iter().filter(|low| own.as_ref().is_none_or(|own| *low > own)).min();
        if let Some(next) = next {
            span.high = DraftBound::Below(next.to_string());
        }
    }
}
