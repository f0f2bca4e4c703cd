use kiln_vuln::{Date, release_lines};

/// The line of Node.js that is supported longest on that day, among those for production (even majors).
pub(crate) fn recommended(today: Date) -> Option<u64> {
    let lines = release_lines("node").filter(|line| line.end >= today);
    let lines = lines.filter_map(|line| Some((line.end, line.line.parse::<u64>().ok()?)));
    lines.filter(|(_, major)| major % 2 == 0).max().map(|(_, major)| major)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_lasts_longest_is_recommended() {
        assert_eq!(recommended("2026-11-21".parse().unwrap()), Some(26));
        assert_eq!(recommended("2040-01-01".parse().unwrap()), None);
    }
}
