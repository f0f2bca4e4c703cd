//! What every format says of a match, in words.

use std::collections::BTreeMap;

use kiln_finding::Severity;
use kiln_pkg::Ecosystem;
use kiln_vuln::{Covered, EndOfLife, Fix, JudgedBy, Match, counts};

use super::Scan;
use crate::Stamp;
use crate::clean::line as plain;

/// `fixed in 1.2.3`, or why not.
pub(super) fn fix(found: &Match) -> String {
    match &found.fix {
        Fix::Version { version } => format!("fixed in {}", plain(version)),
        Fix::None => "no fix yet".to_owned(),
        Fix::WontFix => "will not be fixed".to_owned(),
        Fix::Unknown => "which version fixes it is not known".to_owned(),
    }
}

/// `name@version`
pub(super) fn package(found: &Match) -> String {
    plain(&format!("{}@{}", found.name, found.version))
}

/// `CVE-2026-1 in ms@2.1.3 (npm)`
pub(super) fn title(found: &Match) -> String {
    format!("{} in {} ({})", plain(&found.id), package(found), found.ecosystem)
}

/// All that is known, in one sentence per line.
pub(super) fn details(found: &Match) -> Vec<String> {
    let by = found.judged_by.map(|by| format!(" (judged by {})", by.describe())).unwrap_or_default();
    let mut lines = vec![format!("{}, severity {}{by}, {}", title(found), found.severity, fix(found))];
    if !found.aliases.is_empty() {
        lines.push(format!("also known as {}", plain(&found.aliases.join(", "))));
    }
    if let Some(cvss) = &found.cvss {
        lines.push(format!("CVSS {} ({})", cvss.score, plain(&cvss.vector)));
    }
    if let Some(since) = found.exploited_since {
        lines.push(format!("known to be exploited since {since}"));
    }
    if let Some(epss) = found.epss {
        let (score, percentile) = (epss.score.percent(), epss.percentile.percent());
        lines.push(format!("exploited within thirty days with a probability of {score:.2} %, more likely than {percentile:.1} % of all"));
    }
    if !found.path.is_empty() {
        lines.push(format!("brought in by {}", plain(&found.path.join(" → "))));
    }
    if let Some(tool) = &found.tool {
        lines.push(format!("part of {}: leave it out of the image", plain(tool)));
    }
    if let Some(instruction) = found.layer.as_ref().and_then(|layer| layer.instruction.as_ref()) {
        lines.push(format!("in the layer of {}", plain(instruction)));
    }
    lines
}

/// `stale advisories: npm (329 days), debian (1235 days)`, where any are.
pub(super) fn stale(scan: &Scan) -> Option<String> {
    let named = scan.report.stale().filter_map(|coverage| {
        let Covered::Stale { age, .. } = &coverage.covered else { return None };
        Some(format!("{} ({age} days)", coverage.feed.as_deref().unwrap_or(coverage.ecosystem.as_str())))
    });
    let mut named: Vec<String> = named.collect();
    named.sort();
    named.dedup();
    (!named.is_empty()).then(|| plain(&format!("stale advisories: {}", named.join(", "))))
}

/// What the advisories say nothing of, a line each.
pub(super) fn blind(scan: &Scan) -> Option<String> {
    let blind = scan.report.coverage.iter().filter(|coverage| coverage.names_malware == Some(false));
    let names: Vec<&str> = blind.map(|coverage| coverage.ecosystem.as_str()).collect();
    (!names.is_empty())
        .then(|| format!("malware was not looked for: the advisories for {} name none", names.join(" and ")))
}

/// Whose severities are not those of who published the advisory, and how many nobody judged.
pub(super) fn judges(scan: &Scan) -> Option<String> {
    let mut by: BTreeMap<JudgedBy, usize> = BTreeMap::new();
    let judged = scan.report.matches.iter().filter_map(|found| found.judged_by);
    judged.filter(|by| *by != JudgedBy::Publisher).for_each(|one| *by.entry(one).or_default() += 1);
    let mut parts: Vec<String> =
        by.iter().map(|(by, count)| format!("{count} judged by {}", by.describe())).collect();
    let system = |found: &&Match| matches!(found.ecosystem, Ecosystem::Deb | Ecosystem::Apk);
    let matches = scan.report.matches.iter().filter(system);
    let unjudged = matches.filter(|found| found.severity == Severity::Unknown).count();
    if unjudged > 0 {
        parts.push(format!(
            "{unjudged} of system packages judged by nobody in these advisories (Debian's tracker and OSV records judge more: kiln db update)"
        ));
    }
    (!parts.is_empty()).then(|| format!("severities: {}", parts.join(", ")))
}

/// What the reader should know of the advisories, and what fails nothing by itself.
pub(super) fn notices(scan: &Scan) -> impl Iterator<Item = String> {
    stale(scan).into_iter().chain(blind(scan)).chain(judges(scan))
}

/// Release lines that nobody repairs any more, a line each.
fn ended(scan: &Scan) -> impl Iterator<Item = String> {
    scan.report.end_of_life.iter().map(|ended| {
        let (name, since) = (ended.name(), ended.ended);
        plain(&format!(
            "end of life: {name} is not repaired since {since}, and advisories do not name what is wrong with it"
        ))
    })
}

/// What could not be read or looked up, a line each.
pub(super) fn unknown(scan: &Scan) -> Vec<String> {
    let covered = scan.report.coverage.iter().filter_map(|coverage| {
        let (Covered::Partial { why, .. } | Covered::None { why }) = &coverage.covered else { return None };
        let what = format!("{} {} packages {}", coverage.packages, coverage.ecosystem, coverage.release);
        Some(plain(&format!("not known: {}: {why}", what.trim_end())))
    });
    let unread = scan.report.unread.iter().map(|unread| {
        plain(&format!("not known: {} could not be read ({}): {}", unread.path, unread.reader, unread.why))
    });
    let unseen = scan.report.unseen.iter();
    let unseen = unseen.map(|unseen| plain(&format!("not known: {}: {}", unseen.path, unseen.describe())));
    ended(scan).chain(covered).chain(unread).chain(unseen).collect()
}

/// How many of which severity, and how old the advisories are.
pub(super) fn summary(scan: &Scan, stamp: &Stamp) -> String {
    let found = counted(&scan.report.matches);
    let found = match (&scan.asked, found.is_empty()) {
        (Some(asked), true) if !scan.hidden.is_empty() => format!("none {asked}"),
        (_, true) if !scan.report.end_of_life.is_empty() => {
            let names: Vec<String> = scan.report.end_of_life.iter().map(EndOfLife::name).collect();
            plain(&format!("end of life: {}", names.join(", ")))
        }
        (_, true) => "no known vulnerabilities".to_owned(),
        (_, false) => found,
    };
    let hidden = match scan.hidden.len() {
        0 => String::new(),
        1 => format!("; 1 other not shown ({})", counted(&scan.hidden)),
        more => format!("; {more} others not shown ({})", counted(&scan.hidden)),
    };
    let complete = if scan.report.is_complete() { "" } else { "; not everything is known" };
    let age = scan
        .report
        .as_of
        .map(|as_of| format!(" (advisories as of {as_of}, {} days old)", as_of.age(stamp.today)));
    format!("{found}{hidden}{complete}{}", age.unwrap_or_default())
}

/// `1 high, 2 not judged`, the worst first; empty where there is nothing.
fn counted(matches: &[Match]) -> String {
    let shown =
        counts(matches).into_iter().filter(|(_, count)| *count > 0).map(|(severity, count)| match severity {
            Severity::Unknown => format!("{count} not judged"),
            severity => format!("{count} {severity}"),
        });
    shown.collect::<Vec<_>>().join(", ")
}
