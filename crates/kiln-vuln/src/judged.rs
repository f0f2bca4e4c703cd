use kiln_finding::Severity;
use serde::{Deserialize, Serialize};

/// Whose judgement a severity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JudgedBy {
    /// Whoever published the advisory.
    Publisher,
    /// Debian's security team, as the urgency in its tracker.
    DebianUrgency,
    /// The CVSS vector that was published with the advisory.
    Cvss,
    /// The CVSS vector that somebody else published for the same CVE.
    CvssElsewhere,
    /// Ubuntu's security team, as its priority for the same CVE.
    UbuntuPriority,
}

impl JudgedBy {
    /// Every value, in the order of their numbers in the format; 0 is none.
    const ALL: [Self; 5] =
        [Self::Publisher, Self::DebianUrgency, Self::Cvss, Self::CvssElsewhere, Self::UbuntuPriority];

    /// In words, after "judged by".
    pub fn describe(self) -> &'static str {
        match self {
            Self::Publisher => "its publisher",
            Self::DebianUrgency => "Debian's urgency",
            Self::Cvss => "its CVSS vector",
            Self::CvssElsewhere => "the CVSS vector that others gave the same CVE",
            Self::UbuntuPriority => "Ubuntu's priority for the same CVE",
        }
    }

    pub(crate) fn number(self) -> u8 {
        Self::ALL.iter().zip(1_u8..).find(|(one, _)| **one == self).map_or(0, |(_, number)| number)
    }

    pub(crate) fn of_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}

/// A severity and whose judgement it is; nothing where nobody judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) severity: Severity,
    pub(crate) by: JudgedBy,
}

impl Judgement {
    /// `None` where the severity is unknown.
    pub(crate) fn new(severity: Severity, by: JudgedBy) -> Option<Self> {
        (severity != Severity::Unknown).then_some(Self { severity, by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back() {
        for by in JudgedBy::ALL {
            assert_eq!(JudgedBy::of_number(by.number()), Some(by));
        }
        assert_eq!((JudgedBy::of_number(0), JudgedBy::of_number(6)), (None, None));
    }
}
