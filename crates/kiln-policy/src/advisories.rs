//! What the advisories answer for, and who answers for the rest.

use kiln_finding::Fact;
use kiln_pkg::{Ecosystem, Elsewhere, Inventory};
use kiln_text::Glob;
use kiln_vuln::{Coverage, Covered, Date, Match, VulnerabilityReport};

use crate::evidence::all_read;
use crate::glob::names;
use crate::verdict::{fail, need, pass_by, unknown};
use crate::wording::{count, list};
use crate::{ArchiveFacts, Evidence, Judged, PolicySettings, Unknown};

/// The matches, where the packages they were looked up for are known too.
pub(crate) fn report(evidence: &Evidence) -> Result<&VulnerabilityReport, Unknown> {
    evidence.inventory()?;
    need(&evidence.vulnerabilities, "kiln scan the image; kiln db status shows the advisories")
}

/// Whether somebody answers for every package.
pub(crate) enum Answered {
    /// Yes, and who.
    Yes(Vec<Answer>),
    /// Its distribution would, but the base is too old to ask it.
    TooOld(String),
}

/// Who answers for a group of packages.
pub(crate) struct Answer {
    /// The advisories, complete up to this day; else somebody else.
    advisories: Option<Date>,
    /// The signed index of this day.
    archive: Option<String>,
    /// In a sentence: for which packages, by what.
    text: String,
}

impl Answered {
    /// A pass that says who answers, or the failure.
    pub(crate) fn into_judged(self, found: &str) -> Judged {
        match self {
            Self::Yes(who) => {
                let by = shortly(&who);
                pass_by(format!("{found}{by}"), who.into_iter().map(|answer| answer.text).collect())
            }
            Self::TooOld(reason) => fail(reason, "kiln base lock, then build again"),
        }
    }
}

/// ` (advisories of 2026-11-18, archive of 2026-11-15)`, the oldest of each.
fn shortly(who: &[Answer]) -> String {
    let advisories = who.iter().filter_map(|answer| answer.advisories).min();
    let archive = who.iter().filter_map(|answer| answer.archive.as_deref()).min();
    let is_asked = |answer: &&Answer| answer.advisories.is_some() || answer.archive.is_some();
    let parts = [
        advisories.map(|day| format!("advisories of {day}")),
        archive.map(|day| format!("archive of {day}")),
        (who.iter().filter(is_asked).count() < who.len()).then(|| "not all was asked about".to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

/// Asks for every group of packages who answers for it.
///
/// Where the advisories are silent on a distribution, the base itself may answer: composed from the newest versions of a
/// recent signed index, it holds nothing that an upgrade would fix.
pub(crate) fn answered(evidence: &Evidence, settings: &PolicySettings) -> Result<Answered, Unknown> {
    let (inventory, report) = (evidence.inventory()?, report(evidence)?);
    all_read(&inventory.unread)?;
    all_read(&report.unread)?;
    if report.coverage.is_empty() {
        return unknown("no package was found in the image", "build with a package list that kiln can read");
    }
    // Where lines of Node.js are judged by a check of their own, an exception from that is one from this.
    let judged_elsewhere = |product: &str| product == "node" && settings.asks("NA003");
    if let Some(ended) = report.end_of_life.iter().find(|ended| !judged_elsewhere(&ended.product)) {
        let since = ended.ended;
        return unknown(
            format!(
                "{} is end of life since {since}: advisories do not name what is wrong with it any more",
                ended.name()
            ),
            "build on a release line that is still repaired: kiln base lock",
        );
    }
    let mut who = Vec::new();
    let mut too_old = None;
    for coverage in &report.coverage {
        if coverage.elsewhere {
            who.push(by_whoever_asked(coverage, inventory, settings)?);
            continue;
        }
        match &coverage.covered {
            Covered::Full { as_of } | Covered::Stale { as_of, .. } => {
                who.push(by_advisories(coverage, *as_of, evidence.today, settings)?);
            }
            Covered::Partial { why, .. } | Covered::None { why } => {
                match by_archive(coverage, why, inventory, evidence, settings)? {
                    Ok(answer) => who.push(answer),
                    Err(reason) => too_old = Some(reason),
                }
            }
        }
    }
    // The build knows what it was made of; what is in the image does not tell.
    who.extend(report.unseen.iter().map(|app| {
        let text = format!("not asked about in {}: {}", app.path, app.describe());
        Answer { advisories: None, archive: None, text }
    }));
    Ok(too_old.map_or(Answered::Yes(who), Answered::TooOld))
}

/// Packages that are from no registry, where the settings let all of them be.
fn by_whoever_asked(
    coverage: &Coverage,
    inventory: &Inventory,
    settings: &PolicySettings,
) -> Result<Answer, Unknown> {
    let allowed: Vec<Glob> = settings.from_elsewhere.iter().map(|glob| names(glob)).collect();
    let others: Vec<&str> = inventory
        .of(coverage.ecosystem)
        .filter(|package| !matches!(package.elsewhere, None | Some(Elsewhere::Own)))
        .map(|package| package.name.as_str())
        .filter(|name| !allowed.iter().any(|glob| glob.is_match(name)))
        .collect();
    if others.is_empty() {
        let text = format!("{} from elsewhere, which the policy lets be", group(coverage));
        return Ok(Answer { advisories: None, archive: None, text });
    }
    unknown(
        format!(
            "no advisory names {} from no registry: {}",
            count(others.len(), "package"),
            list(&others, 3)
        ),
        "take them from the registry, or name them in [policy] from-elsewhere of kiln.toml",
    )
}

fn by_advisories(
    coverage: &Coverage,
    as_of: Date,
    today: Date,
    settings: &PolicySettings,
) -> Result<Answer, Unknown> {
    let age = as_of.age(today);
    let group = group(coverage);
    let limit = settings.advisories_max_age.as_ref();
    let limit = limit.and_then(|limit| limit.of(coverage.feed.as_deref().unwrap_or_default()));
    if limit.is_some_and(|most| age > most) {
        return unknown(
            format!("the advisories for {group} are of {as_of}, {age} days old"),
            "update the advisories, or raise [policy] advisories-max-age in kiln.toml",
        );
    }
    let text = format!("{group} by advisories of {as_of} ({age} days old)");
    Ok(Answer { advisories: Some(as_of), archive: None, text })
}

/// The reason why nothing fixable is left, or the reason why that cannot be said any more.
fn by_archive(
    coverage: &Coverage,
    why: &str,
    inventory: &Inventory,
    evidence: &Evidence,
    settings: &PolicySettings,
) -> Result<Result<Answer, String>, Unknown> {
    let group = format!("{}{}", group(coverage), first_names(coverage, inventory));
    if coverage.ecosystem != Ecosystem::Deb {
        return unknown(format!("no advisories for {group}: {why}"), "update the advisories: kiln db status");
    }
    let archive = match &evidence.archive {
        Fact::Known(archive) if archive.distribution == coverage.release => archive,
        Fact::Known(archive) => {
            let why =
                format!("no advisories for {group}, and the base was composed from {}", archive.distribution);
            return unknown(why, "compose the base with kiln base lock");
        }
        Fact::Unknown(archive) => {
            let why = format!(
                "no advisories for {group} ({why}), and the state of their archive is unknown: {archive}"
            );
            return unknown(why, "compose the base with kiln base lock, which records the signed index");
        }
    };
    let age = age(archive, evidence.today)?;
    let as_of = &archive.as_of;
    if age > settings.archive_max_age {
        let most = settings.archive_max_age;
        return Ok(Err(format!(
            "no advisories in this snapshot for {group}, and the signed index behind them is of {as_of}, {age} \
             days old (at most {most}): newer versions may fix something"
        )));
    }
    let text = format!(
        "no advisories in this snapshot for {group}, but each is the newest of the signed index of {as_of} ({age} days \
         old), so there is no newer version to upgrade to"
    );
    Ok(Ok(Answer { advisories: None, archive: Some(as_of.clone()), text }))
}

/// The age of the index, today or when the evidence was collected, whichever is more.
fn age(archive: &ArchiveFacts, today: Date) -> Result<u32, Unknown> {
    match archive.as_of.parse::<Date>() {
        Ok(as_of) => Ok(as_of.age(today).max(archive.age_days)),
        Err(error) => unknown(format!("the date of the archive index: {error}"), "kiln base lock"),
    }
}

/// `16 deb packages of debian-13`
fn group(coverage: &Coverage) -> String {
    let number = usize::try_from(coverage.packages).unwrap_or(usize::MAX);
    if coverage.ecosystem == Ecosystem::Node {
        return "Node.js".to_owned();
    }
    let group = count(number, &format!("{} package", coverage.ecosystem));
    if coverage.release.is_empty() { group } else { format!("{group} of {}", coverage.release) }
}

/// The first few names of a group, in brackets.
fn first_names(coverage: &Coverage, inventory: &Inventory) -> String {
    let tag = inventory.distro.as_ref().map(kiln_pkg::Distro::tag).unwrap_or_default();
    let names: Vec<&str> = inventory
        .of(coverage.ecosystem)
        .filter(|package| {
            package.distro.as_ref().unwrap_or(&tag) == &coverage.release || coverage.release.is_empty()
        })
        .map(|package| package.name.as_str())
        .collect();
    if names.is_empty() { String::new() } else { format!(" ({})", list(&names, 3)) }
}

/// What removes these vulnerabilities, one step for each package: of several fixed versions the newest has them all.
pub(crate) fn cures(found: &[&Match]) -> String {
    let mut packages: Vec<&Match> = Vec::new();
    for &found in found {
        let same = |other: &&mut &Match| (other.ecosystem, &other.name) == (found.ecosystem, &found.name);
        match packages.iter_mut().find(same) {
            None => packages.push(found),
            Some(known) if is_fixed_later(found, known) => *known = found,
            Some(_) => {}
        }
    }
    let steps: Vec<String> = packages.into_iter().map(cure).collect();
    list(&steps, 4)
}

fn is_fixed_later(found: &Match, known: &Match) -> bool {
    match (found.fixed_in(), known.fixed_in()) {
        (Some(found_in), Some(known_in)) => {
            found.ecosystem.compare(found_in, known_in) == Some(std::cmp::Ordering::Greater)
        }
        // Without a fix, only leaving it out helps.
        (found_in, known_in) => found_in.is_none() && known_in.is_some(),
    }
}

fn cure(found: &Match) -> String {
    match (found.ecosystem, found.fixed_in()) {
        (Ecosystem::Npm, Some(fixed)) => format!("update {} to {fixed}", found.name),
        (Ecosystem::Npm, None) => format!("replace {}", found.name),
        (_, Some(fixed)) => format!("kiln base lock, for {} {fixed} or later", found.name),
        (_, None) => format!("leave out {}", found.name),
    }
}
