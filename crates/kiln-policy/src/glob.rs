use kiln_oci::{Reference, normal_pattern};
use kiln_text::{Glob, alternatives};

/// Which names somebody means: a glob, and `*` alone is every name. A text that is no glob is one name.
pub(crate) fn names(pattern: &str) -> Glob {
    Glob::or_literal(if pattern == "*" { "**" } else { pattern })
}

/// Which images somebody means: names and patterns are compared in the one form that all spellings of an image have.
pub(crate) struct Images {
    normal: Vec<Glob>,
    written: Glob,
}

impl Images {
    pub(crate) fn of(pattern: &str) -> Self {
        // Braces may hold hosts.
        let all = alternatives(pattern).unwrap_or_else(|| vec![pattern.to_owned()]);
        let normal = all.iter().map(|one| Glob::or_literal(&normal_pattern(one))).collect();
        Self { normal, written: names(pattern) }
    }

    /// Whether `name`, with its tag, is one of them. What is no name of an image (a place on this machine) is compared as it is
    /// written.
    pub(crate) fn hold(&self, name: &str) -> bool {
        match name.parse::<Reference>() {
            Ok(reference) => {
                let tag = reference.tag.as_ref().map_or_else(String::new, |tag| format!(":{tag}"));
                let name = format!("{}{tag}", reference.normal_name());
                self.normal.iter().any(|glob| glob.is_match(&name))
            }
            Err(_) => self.written.is_match(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Images, names};

    #[test]
    fn one_image_is_meant_by_all_its_spellings() {
        let spellings = [
            "node:24",
            "library/node:24",
            "docker.io/node:24",
            "index.docker.io/library/node:24",
            "Docker.io:443/node:24",
        ];
        for pattern in
            spellings.iter().copied().chain(["node:*", "docker.io/library/node:*", "INDEX.docker.io/node:2?"])
        {
            for name in spellings {
                assert!(Images::of(pattern).hold(name), "{pattern} {name}");
            }
            for other in
                ["node2:24", "r.example/node:24", "r.example/library/node:24", "team/node:24", "nodes:24"]
            {
                assert!(!Images::of(pattern).hold(other), "{pattern} {other}");
            }
        }
        assert!(Images::of("{index.docker.io,ghcr.io}/library/{node,python}:*").hold("python:3"));
        assert!(Images::of("*").hold("r.example/a/b:1") && Images::of("oci:bases/*").hold("oci:bases/node"));
    }

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
