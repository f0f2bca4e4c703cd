use kiln_vuln::Date;
use serde::Deserialize;

#[derive(Deserialize)]
struct Table {
    line: Vec<Line>,
}

/// A Node.js release line.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Line {
    pub(crate) major: u64,
    /// The last day of its support.
    pub(crate) end: Date,
}

/// Every line that is known, by major version.
pub(crate) fn lines() -> Vec<Line> {
    let table: Table =
        toml::from_str(include_str!("../data/node-lines.toml")).expect("a test reads the embedded table");
    table.line
}

/// The line supported longest on that day, among those for production (even majors).
pub(crate) fn recommended(today: Date) -> Option<u64> {
    let ltss = lines().into_iter().filter(|line| line.major % 2 == 0 && line.end >= today);
    ltss.max_by_key(|line| line.end).map(|line| line.major)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(lines().is_sorted_by_key(|line| line.major));
        assert_eq!(recommended("2026-11-21".parse().unwrap()), Some(26));
        assert_eq!(recommended("2040-01-01".parse().unwrap()), None);
    }
}
