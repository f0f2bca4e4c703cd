//! How bad a vulnerability is, in the numbers its publishers give. Kept as whole numbers, so that they compare and are
//! written alike everywhere.

use std::str::FromStr;

use kiln_finding::Severity;
use serde::{Deserialize, Serialize};

/// A CVSS vector and the score it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cvss {
    /// As published, with its version (`CVSS:3.1/AV:N/…`).
    pub vector: String,
    /// 0.0 to 10.0.
    pub score: Tenths,
}

impl Cvss {
    /// Reads a vector of any version; `None` where it is none.
    pub fn read(vector: &str) -> Option<Self> {
        let score = cvss::Cvss::from_str(vector).ok()?.score();
        Some(Self { vector: vector.to_owned(), score: Tenths::of(score) })
    }

    /// The qualitative rating of the score. Source: CVSS v3.1 specification, §5; the same in v4.0, §6.
    pub fn severity(&self) -> Severity {
        match self.score.0 {
            90.. => Severity::Critical,
            70.. => Severity::High,
            40.. => Severity::Medium,
            1.. => Severity::Low,
            0 => Severity::Negligible,
        }
    }
}

/// How likely it is exploited in the next thirty days. Source: FIRST, EPSS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epss {
    /// The probability.
    pub score: Share,
    /// The share of all vulnerabilities that are as likely or less.
    pub percentile: Share,
}

/// A number with one decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Tenths(u8);

impl Tenths {
    #[expect(clippy::cast_sign_loss, reason = "clamped to zero and above")]
    fn of(value: f64) -> Self {
        Self((value.clamp(0.0, 10.0) * 10.0).round() as u8)
    }
}

impl From<f64> for Tenths {
    fn from(value: f64) -> Self {
        Self::of(value)
    }
}

impl From<Tenths> for f64 {
    fn from(value: Tenths) -> Self {
        Self::from(value.0) / 10.0
    }
}

impl std::fmt::Display for Tenths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{}.{}", self.0 / 10, self.0 % 10))
    }
}

/// A number from 0 to 1 with five decimals, as EPSS has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Share(u32);

impl Share {
    const WHOLE: u32 = 100_000;

    pub(crate) fn parts(self) -> u32 {
        self.0
    }

    pub(crate) fn of_parts(parts: u32) -> Option<Self> {
        (parts <= Self::WHOLE).then_some(Self(parts))
    }

    /// In hundredths of the whole.
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl From<f64> for Share {
    #[expect(clippy::cast_sign_loss, reason = "clamped to zero and above")]
    fn from(value: f64) -> Self {
        Self((value.clamp(0.0, 1.0) * f64::from(Self::WHOLE)).round() as u32)
    }
}

impl From<Share> for f64 {
    fn from(value: Share) -> Self {
        Self::from(value.0) / Self::from(Share::WHOLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_score_as_their_specifications_say() {
        for (vector, score, severity) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "9.8", Severity::Critical),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N", "6.5", Severity::Medium),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "6.1", Severity::Medium),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "10.0", Severity::Critical),
            ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:N", "0.0", Severity::Negligible),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "9.3", Severity::Critical),
        ] {
            let read = Cvss::read(vector).unwrap();
            assert_eq!((read.score.to_string().as_str(), read.severity()), (score, severity), "{vector}");
        }
        assert_eq!(Cvss::read("CVSS:4.0/AV:N"), None);
        assert_eq!(Cvss::read("9.8"), None);
    }

    #[test]
    fn shares_keep_five_decimals() {
        let share: Share = serde_json::from_str("0.00043").unwrap();
        assert_eq!((share.parts(), serde_json::to_string(&share).unwrap().as_str()), (43, "0.00043"));
    }
}
