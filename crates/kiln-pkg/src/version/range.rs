use super::SemVer;

/// Versions from `low` (included) to `high` (excluded; `None` is without end).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// First version inside.
    pub low: SemVer,
    /// First version outside.
    pub high: Option<SemVer>,
}

impl Interval {
    /// Whether `version` lies inside, prereleases included.
    pub fn contains(&self, version: &SemVer) -> bool {
        *version >= self.low && self.high.as_ref().is_none_or(|high| version < high)
    }
}

/// An npm version range (`^1.2 || 3.x`) as a set of intervals over the whole order.
///
/// Prereleases belong to an interval by order alone, which is node-semver's `includePrerelease`; releases are where they are
/// without it. Source: the grammar `range.bnf` of node-semver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The alternatives, in the order written; they may overlap.
    pub intervals: Vec<Interval>,
}

impl Range {
    /// Reads a range; `None` where it is no range of node-semver.
    pub fn parse(text: &str) -> Option<Self> {
        let intervals = text.split("||").map(alternative).collect::<Option<Vec<_>>>()?;
        Some(Self { intervals: intervals.into_iter().flatten().collect() })
    }

    /// Whether `version` is in the range.
    pub fn contains(&self, version: &SemVer) -> bool {
        self.intervals.iter().any(|interval| interval.contains(version))
    }
}

/// A version with holes: `1.x` has a major only.
struct Partial {
    numbers: Vec<u64>,
    version: SemVer,
}

impl Partial {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim_start_matches(['v', 'V', '=']);
        let core = text.split(['-', '+']).next().unwrap_or_default();
        let mut numbers = Vec::new();
        let mut holes = false;
        for part in core.split('.') {
            match part {
                "x" | "X" | "*" => holes = true,
                "" if core.is_empty() => holes = true,
                _ => match part.parse::<u64>() {
                    Ok(_) if holes => {}
                    Ok(number) => numbers.push(number),
                    // `1.2.3beta`, loosely.
                    Err(_) => return Self::full(SemVer::parse(text)?),
                },
            }
        }
        if numbers.len() >= 3 {
            return Self::full(SemVer::parse(text)?);
        }
        let at = |index: usize| numbers.get(index).copied().unwrap_or(0);
        let version = SemVer::new(at(0), at(1), at(2));
        Some(Self { numbers, version })
    }

    #[expect(clippy::unnecessary_wraps, reason = "ends both branches of `parse`")]
    fn full(version: SemVer) -> Option<Self> {
        Some(Self { numbers: vec![version.major, version.minor, version.patch], version })
    }

    /// The first version after everything this partial names; `None` where it names everything.
    fn end(&self) -> Option<SemVer> {
        match *self.numbers.as_slice() {
            [] => None,
            [major] => Some(floor(major.checked_add(1)?, 0, 0)),
            [major, minor] => Some(floor(major, minor.checked_add(1)?, 0)),
            _ => Some(successor(&self.version)),
        }
    }
}

/// The lowest version of a line: its lowest prerelease, `-0`.
fn floor(major: u64, minor: u64, patch: u64) -> SemVer {
    SemVer { prerelease: vec![super::semver::Identifier::Number(0)], ..SemVer::new(major, minor, patch) }
}

/// The version right after `version` in the order.
fn successor(version: &SemVer) -> SemVer {
    let mut next = version.clone();
    if next.prerelease.is_empty() {
        return floor(next.major, next.minor, next.patch.saturating_add(1));
    }
    next.prerelease.push(super::semver::Identifier::Number(0));
    next
}

/// One side of `||`: comparators that must all hold. `None` is a syntax error; `Some(None)` an empty set.
#[expect(clippy::option_option, reason = "a syntax error and an empty set are different answers")]
fn alternative(text: &str) -> Option<Option<Interval>> {
    let mut interval = Interval { low: floor(0, 0, 0), high: None };
    if let Some((low, high)) = text.split_once(" - ") {
        let low = Partial::parse(low.trim())?.version;
        // Prereleases of what a hyphen starts from are inside, though `>=` leaves them out.
        interval.low = if low.is_prerelease() { low } else { floor(low.major, low.minor, low.patch) };
        interval.high = Partial::parse(high.trim())?.end();
        return Some(Some(interval));
    }
    for comparator in comparators(text) {
        let (low, high) = bounds(&comparator)?;
        if let Some(low) = low.filter(|low| *low > interval.low) {
            interval.low = low;
        }
        if let Some(high) = high.filter(|high| interval.high.as_ref().is_none_or(|now| high < now)) {
            interval.high = Some(high);
        }
    }
    let empty = interval.high.as_ref().is_some_and(|high| *high <= interval.low);
    Some((!empty).then_some(interval))
}

/// Splits at blanks, keeping an operator with the version after it (`>= 1.0`).
fn comparators(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = false;
    for word in text.split_whitespace() {
        match found.last_mut() {
            Some(last) if open => last.push_str(word),
            _ => found.push(word.to_owned()),
        }
        open = word.bytes().all(|byte| b"<>=~^".contains(&byte));
    }
    found
}

/// Low bound (included) and high bound (excluded) of one comparator.
fn bounds(comparator: &str) -> Option<(Option<SemVer>, Option<SemVer>)> {
    let end = comparator.find(|c| !matches!(c, '<' | '>' | '=' | '~' | '^')).unwrap_or(comparator.len());
    let (operator, text) = comparator.split_at(end);
    let partial = Partial::parse(text)?;
    let everything = partial.numbers.is_empty();
    let version = partial.version.clone();
    Some(match operator {
        "" | "=" | "==" => (Some(lowest(&partial)), partial.end()),
        ">=" => (Some(lowest(&partial)), None),
        ">" => (partial.end().or(Some(floor(u64::MAX, 0, 0))), None),
        "<" if everything => (None, Some(floor(0, 0, 0))),
        "<" => (None, Some(lowest(&partial))),
        "<=" => (None, partial.end()),
        "~" | "~>" => (Some(lowest(&partial)), tilde(&partial)),
        "^" => (Some(lowest(&partial)), caret(&partial, &version)),
        _ => return None,
    })
}

/// A full version is itself; `1.x` starts at the prereleases of 1.0.0.
fn lowest(partial: &Partial) -> SemVer {
    match partial.numbers.len() {
        0..=2 => floor(partial.version.major, partial.version.minor, partial.version.patch),
        _ => partial.version.clone(),
    }
}

fn tilde(partial: &Partial) -> Option<SemVer> {
    match *partial.numbers.as_slice() {
        [major, minor, ..] => Some(floor(major, minor.saturating_add(1), 0)),
        _ => partial.end(),
    }
}

fn caret(partial: &Partial, version: &SemVer) -> Option<SemVer> {
    match *partial.numbers.as_slice() {
        [0, 0, _, ..] => Some(floor(0, 0, version.patch.saturating_add(1))),
        [0, minor, ..] => Some(floor(0, minor.saturating_add(1), 0)),
        [major, ..] => Some(floor(major.saturating_add(1), 0, 0)),
        [] => None,
    }
}
