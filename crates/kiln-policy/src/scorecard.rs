use std::collections::BTreeMap;

use kiln_finding::Severity;
use kiln_pkg::Ecosystem;
use kiln_vuln::Date;
use serde::{Deserialize, Serialize};

use crate::{EvidenceSubject, ExceptionUse, Size, Stage};

/// What the gate says about an image: a line for each check that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scorecard {
    /// The image.
    pub subject: EvidenceSubject,
    /// Name of the profile.
    pub profile: String,
    /// How far the image has come.
    pub stage: Stage,
    /// The day it was judged.
    pub today: Date,
    /// What it is, in numbers.
    pub summary: ImageSummary,
    /// One line for each check, in the order of the table.
    pub lines: Vec<Line>,
    /// Every exception, with what became of it, in the order given.
    pub exceptions: Vec<ExceptionUse>,
}

/// One check and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Id of the check.
    pub id: String,
    /// What holds where it passes.
    pub title: String,
    /// What came out.
    pub outcome: Outcome,
    /// Why, in a few words.
    pub reason: String,
    /// What that rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What to change, where it does not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

/// What came out of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// It could not be looked at. Not a pass.
    Unknown,
    /// The question does not arise.
    NotApplicable,
    /// It does not hold, and an exception that has not expired answers for it.
    Excepted,
}

/// How many lines have which outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Counts {
    /// [`Outcome::Pass`]
    pub passed: usize,
    /// [`Outcome::Fail`]
    pub failed: usize,
    /// [`Outcome::Unknown`]
    pub unknown: usize,
    /// [`Outcome::NotApplicable`]
    pub not_applicable: usize,
    /// [`Outcome::Excepted`]
    pub excepted: usize,
}

/// An image in numbers. What is not known is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSummary {
    /// How big it is.
    pub size: Option<Size>,
    /// Name of its base.
    pub base: Option<String>,
    /// Versions of Node.js in it.
    pub node: Vec<String>,
    /// How many packages of each ecosystem, Node.js left out; those that it has.
    pub packages: BTreeMap<Ecosystem, usize>,
    /// How many vulnerabilities of each severity, those that it has; `None` where not known.
    pub vulnerabilities: Option<BTreeMap<Severity, usize>>,
    /// The oldest day up to which the advisories that were asked are complete.
    pub advisories: Option<Date>,
    /// The advisories answer for every package; otherwise the vulnerabilities are those known, not those there are.
    #[serde(default)]
    pub covered: bool,
    /// Some of the advisories are older than the limit.
    #[serde(default)]
    pub stale: bool,
    /// Release lines in it that nobody repairs any more, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub end_of_life: Vec<String>,
}

impl Outcome {
    /// The lower-case name used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not applicable",
            Self::Excepted => "excepted",
        }
    }

    /// Whether a gate lets it through.
    pub fn passes(self) -> bool {
        matches!(self, Self::Pass | Self::NotApplicable | Self::Excepted)
    }
}

impl Scorecard {
    /// Whether every line passes. A card without lines has asked nothing and never passes.
    pub fn passes(&self) -> bool {
        !self.lines.is_empty() && self.lines.iter().all(|line| line.outcome.passes())
    }

    /// The lines that do not pass. Where it is one, what it asks for is the one change that makes the image pass.
    pub fn stopping(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.outcome.passes())
    }

    /// Whether something failed, rather than only being unknown.
    pub fn has_failed(&self) -> bool {
        self.counts().failed > 0
    }

    /// How many lines have which outcome.
    pub fn counts(&self) -> Counts {
        let count = |outcome| self.lines.iter().filter(|line| line.outcome == outcome).count();
        Counts {
            passed: count(Outcome::Pass),
            failed: count(Outcome::Fail),
            unknown: count(Outcome::Unknown),
            not_applicable: count(Outcome::NotApplicable),
            excepted: count(Outcome::Excepted),
        }
    }

    /// `17 of 19 checks passed, 1 failed, 1 unknown`
    pub fn result(&self) -> String {
        let counts = self.counts();
        let mut parts = vec![format!("{} of {} checks passed", counts.passed, self.lines.len())];
        let rest = [
            (counts.failed, "failed"),
            (counts.unknown, "unknown"),
            (counts.excepted, "excepted"),
            (counts.not_applicable, "not applicable"),
        ];
        for (number, word) in rest.into_iter().filter(|(number, _)| *number > 0) {
            parts.push(format!("{number} {word}"));
        }
        parts.join(", ")
    }
}
