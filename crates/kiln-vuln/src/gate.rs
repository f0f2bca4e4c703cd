//! What a scan may not find, and what it may not leave open.

use std::collections::BTreeSet;
use std::str::FromStr;

use kiln_finding::Severity;
use kiln_pkg::Unseen;

use crate::{Coverage, Match, Share, VulnerabilityReport};

/// What a scan is refused for. Not finding any of it is a pass only where everything that bears on it is known.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// Any of these is enough.
    pub conditions: Vec<Condition>,
    /// The severity of what nobody has judged.
    pub unknown_severity: Option<Severity>,
    /// What need not be known.
    pub allowed: BTreeSet<Open>,
}

/// One thing that a vulnerability is refused for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// It is at least this severe.
    Severity(Severity),
    /// It is exploited in the wild.
    Exploited,
    /// The package is malware.
    Malware,
    /// It is exploited within thirty days with more than this probability.
    Epss(Share),
    /// A version fixes it.
    Fixable,
}

/// Something that may be open after a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Open {
    /// How severe a vulnerability is.
    Severity,
    /// With which probability it is exploited.
    Epss,
    /// Whether there are vulnerabilities in packages that the advisories do not cover.
    Coverage,
    /// What is wrong with release lines that nobody repairs any more.
    EndOfLife,
    /// What is in files that could not be read.
    Unread,
    /// What a bundler built into files.
    Bundle,
}

/// What a gate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateVerdict<'a> {
    /// These may not be there.
    Refused(Vec<&'a Match>),
    /// Nothing is known to be there that may not be; how much of what is not known, worst first. Never empty.
    Open(Vec<(Open, usize)>),
    /// Nothing that may not be there is there.
    Passed,
}

impl Gate {
    /// Judges what was found. Whatever is not known makes no refusal a pass.
    pub fn judge<'a>(
        &self,
        reports: impl Iterator<Item = &'a VulnerabilityReport> + Clone,
    ) -> GateVerdict<'a> {
        if self.conditions.is_empty() {
            return GateVerdict::Passed;
        }
        let found = reports.clone().flat_map(|report| &report.matches);
        let refused: Vec<&Match> = found.clone().filter(|found| self.refuses(found) == Some(true)).collect();
        if !refused.is_empty() {
            return GateVerdict::Refused(refused);
        }
        let unclear = |open| found.clone().filter(|found| self.leaves_open(found, open)).count();
        let uncovered = |report: &VulnerabilityReport| {
            report.coverage.iter().filter(|part| !self.is_covered(part)).count()
        };
        let unseen = |is_it: fn(&Unseen) -> bool| {
            reports.clone().flat_map(|report| &report.unseen).filter(|unseen| is_it(unseen)).count()
        };
        let uncovered: usize = reports.clone().map(uncovered).sum();
        let open = [
            (Open::Severity, unclear(Open::Severity)),
            (Open::Epss, unclear(Open::Epss)),
            (Open::Coverage, uncovered + unseen(Unseen::is_uncovered)),
            (Open::EndOfLife, reports.clone().map(|report| report.end_of_life.len()).sum()),
            (Open::Unread, reports.clone().map(|report| report.unread.len()).sum()),
            (Open::Bundle, unseen(Unseen::is_bundled)),
        ];
        let open: Vec<(Open, usize)> =
            open.into_iter().filter(|(kind, count)| *count > 0 && !self.allowed.contains(kind)).collect();
        if open.is_empty() { GateVerdict::Passed } else { GateVerdict::Open(open) }
    }

    /// Whether the advisories answer what is asked of a group of packages. Feeds that name no malware have not looked for any.
    fn is_covered(&self, part: &Coverage) -> bool {
        let asks_malware = self.conditions.contains(&Condition::Malware);
        part.covered.is_whole() && !(asks_malware && part.names_malware == Some(false))
    }

    /// Whether a condition holds; `None` where that is not known.
    fn holds(&self, condition: Condition, found: &Match) -> Option<bool> {
        match condition {
            Condition::Severity(least) => match found.severity_or(self.unknown_severity) {
                Severity::Unknown if least > Severity::Unknown => None,
                severity => Some(severity >= least),
            },
            Condition::Exploited => Some(found.known_exploited),
            Condition::Malware => Some(found.is_malware()),
            Condition::Epss(most) => Some(found.epss?.score > most),
            Condition::Fixable => Some(found.fixed_in().is_some()),
        }
    }

    /// Whether any condition holds; `None` where none does and one is not known.
    fn refuses(&self, found: &Match) -> Option<bool> {
        let outcomes: Vec<Option<bool>> =
            self.conditions.iter().map(|&condition| self.holds(condition, found)).collect();
        if outcomes.contains(&Some(true)) {
            return Some(true);
        }
        (!outcomes.contains(&None)).then_some(false)
    }

    fn leaves_open(&self, found: &Match, open: Open) -> bool {
        let is_about = |condition: &&Condition| match open {
            Open::Severity => matches!(condition, Condition::Severity(_)),
            Open::Epss => matches!(condition, Condition::Epss(_)),
            Open::Coverage | Open::EndOfLife | Open::Unread | Open::Bundle => false,
        };
        self.conditions.iter().filter(is_about).any(|&condition| self.holds(condition, found).is_none())
    }
}

impl FromStr for Condition {
    type Err = String;

    /// A severity, `kev`, `malware`, `fixable`, or `epss>` and a probability from 0 to 1.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(most) = text.strip_prefix("epss>") {
            let most = most.parse::<f64>().ok().filter(|most| (0.0..1.0).contains(most));
            let most = most.ok_or("a probability is a number from 0 to less than 1, such as epss>0.5")?;
            return Ok(Self::Epss(Share::from(most)));
        }
        match text {
            "kev" => Ok(Self::Exploited),
            "malware" => Ok(Self::Malware),
            "fixable" => Ok(Self::Fixable),
            _ => Severity::named(text).map(Self::Severity).ok_or_else(|| {
                let names = Severity::ALL.map(Severity::as_str).join(", ");
                format!("it is none of {names}, kev, malware, fixable, epss>NUMBER")
            }),
        }
    }
}

impl Open {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Severity, Self::Epss, Self::Coverage, Self::EndOfLife, Self::Unread, Self::Bundle];

    /// As it is typed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Severity => "severity",
            Self::Epss => "epss",
            Self::Coverage => "coverage",
            Self::EndOfLife => "end-of-life",
            Self::Unread => "unread",
            Self::Bundle => "bundle",
        }
    }

    /// `3 vulnerabilities that nobody has judged`
    pub fn describe(self, count: usize) -> String {
        let (one, many, rest) = match self {
            Self::Severity => ("vulnerability", "vulnerabilities", "that nobody has judged"),
            Self::Epss => ("vulnerability", "vulnerabilities", "without a probability (EPSS)"),
            Self::Coverage => {
                ("group of packages", "groups of packages", "of which the advisories say nothing")
            }
            Self::EndOfLife => ("release line", "release lines", "that nobody repairs any more"),
            Self::Unread => ("file", "files", "that could not be read"),
            Self::Bundle => ("app", "apps", "that others seem to be built into"),
        };
        format!("{count} {} {rest}", if count == 1 { one } else { many })
    }
}

#[cfg(test)]
mod tests;
