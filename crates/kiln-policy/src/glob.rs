use kiln_text::Glob;

/// Which names somebody means: a glob, and `*` alone is every name. A text that is no glob is one name.
pub(crate) fn names(pattern: &str) -> Glob {
    Glob::or_literal(if pattern == "*" { "**" } else { pattern })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_star_stops_at_a_slash() {
        let matches = |pattern: &str, text: &str| names(pattern).is_match(text);
        assert!(matches("kiln/node:*", "kiln/node:24-debian13"));
        assert!(!matches("kiln/node:*", "evil/kiln/node:24"));
        assert!(!matches("kiln/node:*", "kiln/node:24/x"));
        assert!(!matches("kiln/node:*", "kiln/nodes:24"));
        assert!(matches("**/node:*-slim", "a/b/node:24-slim"));
        assert!(!matches("*/node:*", "a/b/node:24"));
        assert!(matches("*", "a/b/c"));
        assert!(matches("AGPL-*", "AGPL-3.0-only"));
        assert!(!matches("AGPL-*", "LAGPL-3.0"));
        assert!(!matches("", "a"));
        assert!(matches("", ""));
        assert!(matches("a[b", "a[b"));
    }

    #[test]
    fn a_long_pattern_ends() {
        assert!(!names(&"a*".repeat(200)).is_match(&"a".repeat(199)));
    }
}
