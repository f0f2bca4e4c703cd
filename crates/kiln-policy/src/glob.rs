/// Whether `text` has the form of `pattern`: `*` is any run of characters without a slash, `**` any run at all, and `*`
/// alone is everything. Every other character is itself.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // Row by row: `reached[n]` says that the pattern so far has the form of the first n characters.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    let mut at = 0;
    while let Some(&symbol) = pattern.get(at) {
        let crosses = symbol == '*' && pattern.get(at + 1) == Some(&'*');
        let mut next = vec![false; text.len() + 1];
        for end in 0..=text.len() {
            let before = end.checked_sub(1).map(|last| (last, text[last]));
            next[end] = if symbol == '*' {
                reached[end] || before.is_some_and(|(last, char)| next[last] && (crosses || char != '/'))
            } else {
                before.is_some_and(|(last, char)| reached[last] && char == symbol)
            };
        }
        reached = next;
        at += if crosses { 2 } else { 1 };
    }
    reached[text.len()]
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stops_at_a_slash() {
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
    }

    #[test]
    fn a_long_pattern_ends() {
        assert!(!matches(&"a*".repeat(200), &"a".repeat(199)));
    }
}
