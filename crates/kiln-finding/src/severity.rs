use serde::{Deserialize, Serialize};

/// How much a finding matters, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nobody has judged it.
    Unknown,
    /// Too small to act on.
    Negligible,
    /// Low.
    Low,
    /// Medium (GitHub's "moderate").
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// Every severity, from the lowest to the highest.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Negligible, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The lower-case name used in every output and flag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Negligible => "negligible",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of this name, as every output and flag writes it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == name)
    }

    /// Reads the spellings of the feeds (case does not matter, `moderate` is medium); anything else is
    /// [`Severity::Unknown`].
    pub fn read(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        match text.as_str() {
            "negligible" | "unimportant" => Self::Negligible,
            "low" => Self::Low,
            "medium" | "moderate" => Self::Medium,
            "high" => Self::High,
            "critical" => Self::Critical,
            _ => Self::Unknown,
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
