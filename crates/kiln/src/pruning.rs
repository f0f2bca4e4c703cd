//! How what is kept goes: from the store what no name leads to, from the cache what was not used for long.

mod cache;
mod store;

use std::time::{Duration, SystemTime};

pub(crate) use cache::prune_cache;
pub(crate) use store::prune_store;

/// What is to go.
pub(crate) struct Order {
    /// Only what was not used since then.
    pub(crate) before: SystemTime,
    /// Whether that counts for blobs, too, which otherwise go as soon as no name leads to them.
    pub(crate) counts_for_blobs: bool,
    /// The whole cache, and images without a name, however young.
    pub(crate) all: bool,
    /// Nothing goes; only what would.
    pub(crate) only_look: bool,
}

/// What went of one kind.
pub(crate) struct Gone {
    pub(crate) kind: &'static str,
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

/// An age as people write it: `30d`, `12h`, `4w`; days where there is no unit.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "" | "d" => 86_400,
        "w" => 7 * 86_400,
        unit => return Err(format!("`{unit}` is none of s, m, h, d, w")),
    };
    let count: u64 = digits.parse().map_err(|_| "it is a number and a unit: 30d, 12h, 4w".to_owned())?;
    count.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| "it is longer than time".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_units() {
        for (text, seconds) in
            [("30d", 2_592_000), ("2", 172_800), ("12h", 43_200), ("0s", 0), ("1w", 604_800)]
        {
            assert_eq!(age(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "d", "3x", "-1d", "1.5d", "99999999999999999d", "ä"] {
            assert!(age(text).is_err(), "{text}");
        }
    }
}
