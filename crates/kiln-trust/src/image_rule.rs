use kiln_oci::Digest;
use kiln_text::Glob;

use crate::error::ErrorKind;
use crate::{Authority, Error, Evidence, Requirement, TrustReport, verify_image};

/// The longest pattern for names, in bytes; names have at most 255, and paths 4096.
const PATTERN_MAX: usize = 512;
const PLACE_MAX: usize = 8192;
/// How patterns begin that are about places on this machine, of which any letter may be a part.
const PLACES: [&str; 3] = ["oci:/", "oci-archive:/", "docker-archive:/"];

/// Whom an image must be signed by.
#[derive(Debug)]
pub struct ImageRule {
    /// Which images it is about, as somebody wrote it; empty where it is about the one that was asked for.
    pub images: Vec<String>,
    /// Any of these will do.
    pub authorities: Vec<Authority>,
    /// What the one of them must have signed.
    pub required: Vec<Requirement>,
}

impl ImageRule {
    /// Checks the evidence about an image: what one of the authorities signed must meet every requirement. Of several that
    /// do not, the one whose signatures were found is told of. Where the newest statement decides, it is the newest by any of them.
    pub fn verify(&self, image: &Digest, evidence: &[Evidence]) -> TrustReport {
        let reports: Vec<TrustReport> = self
            .authorities
            .iter()
            .map(|authority| verify_image(image, evidence, authority, &self.required))
            .collect();
        let better = |report: &TrustReport| (report.is_satisfied(), report.statements.len());
        // The first of equals, so that what is told does not depend on the number of authorities.
        let best = reports.iter().reduce(|best, next| if better(next) > better(best) { next } else { best });
        let Some(mut best) = best.cloned() else { return TrustReport::nothing(*image, &self.required) };
        for report in &reports {
            best.overruled_by(report);
        }
        best
    }

    /// For people: who must have signed, and by which rule.
    pub fn explain(&self) -> String {
        let rule = if self.images.is_empty() {
            String::new()
        } else {
            format!(" (rule for {})", self.images.join(", "))
        };
        format!("{}{rule}", self.describe())
    }

    /// For people: who must have signed.
    pub fn describe(&self) -> String {
        let names: Vec<String> = self.authorities.iter().map(Authority::describe).collect();
        names.join(", or ")
    }
}

/// Names of images, as a glob ([`kiln_text::Glob`]): `*` stands for anything within one part of a name, `**` for any number of
/// parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(Glob);

impl NamePattern {
    /// Reads a pattern such as `registry.example/base/**`. It is about whole names without tag and digest; a tag is refused, for
    /// it says nothing about what is behind it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let failed = |why: &str| ErrorKind::Matcher { text: text.to_owned(), why: why.to_owned() };
        let is_place = PLACES.iter().any(|place| text.starts_with(place));
        if text.is_empty() || text.len() > if is_place { PLACE_MAX } else { PATTERN_MAX } {
            return Err(failed("a pattern for names has 1 to 512 characters").into());
        }
        let last = text.rsplit('/').next().unwrap_or(text);
        if !is_place && (text.contains('@') || text.contains('/') && last.contains(':')) {
            return Err(failed("a rule is about names without tag and digest").into());
        }
        if text.split('/').any(|part| part.is_empty() || part != "**" && part.contains("**")) {
            return Err(failed("`**` stands for whole parts of a name, and no part may be empty").into());
        }
        Ok(Self(Glob::parse(text).map_err(|why| failed(&why.to_string()))?))
    }

    /// Whether a whole name matches.
    pub fn is_match(&self, name: &str) -> bool {
        self.0.is_match(name)
    }

    /// How much it says of the names that it is about: the letters that stand for themselves, and whether all do.
    pub fn specificity(&self) -> (bool, usize) {
        let text = self.0.as_str();
        let is_open = |c: char| matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | ',');
        (!text.contains(is_open), text.chars().filter(|c| !is_open(*c)).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stay_within_their_part() {
        for (pattern, yes, no) in [
            ("docker.io/library/node", &["docker.io/library/node"][..], &["docker.io/library/node2"][..]),
            ("r.example/base/*", &["r.example/base/node"], &["r.example/base", "r.example/base/a/b"]),
            ("r.example/**", &["r.example/a", "r.example/a/b"], &["r.example-evil/a", "x/r.example/a"]),
            ("r.example/**/node-*", &["r.example/node-24", "r.example/a/b/node-"], &["r.example/a/node"]),
            ("*.example/a*b*c", &["x.example/abc", "x.example/aXbbYc"], &["x.example/ab", "x.example/abcd"]),
            ("**", &["a", "a/b"], &[]),
            ("r.example/{app,web}-[0-9]", &["r.example/app-1"], &["r.example/app-x", "r.example/app/1"]),
        ] {
            let pattern = NamePattern::parse(pattern).unwrap();
            for name in yes {
                assert!(pattern.is_match(name), "{pattern:?} {name}");
            }
            for name in no {
                assert!(!pattern.is_match(name), "{pattern:?} {name}");
            }
        }
    }

    #[test]
    fn patterns_that_would_say_less_than_they_seem_to_are_refused() {
        for text in [
            "",
            "r.example/app:1",
            "r.example/app@sha256:00",
            "r.example//app",
            "r.example/a**",
            "/app",
            "r.example/[a",
        ] {
            assert!(NamePattern::parse(text).is_err(), "{text}");
        }
        NamePattern::parse("r.example:5000/app").unwrap();
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let pattern = NamePattern::parse(&"*a".repeat(200)).unwrap();
        assert!(!pattern.is_match(&"a".repeat(150)));
        let pattern = NamePattern::parse(&vec!["**"; 150].join("/")).unwrap();
        assert!(pattern.is_match(&vec!["a"; 100].join("/")));
    }

    #[test]
    fn the_more_letters_stand_for_themselves_the_more_is_said() {
        let of = |text: &str| NamePattern::parse(text).unwrap().specificity();
        let rising =
            ["**", "r.example/**", "r.example/base/*", "r.example/base/node-*", "r.example/base/node"];
        assert!(rising.windows(2).all(|pair| of(pair[0]) < of(pair[1])));
    }

    #[test]
    fn a_rule_without_authorities_is_met_by_nothing() {
        let rule =
            ImageRule { images: Vec::new(), authorities: Vec::new(), required: vec![Requirement::of("x")] };
        assert!(!rule.verify(&Digest::of(b""), &[]).is_satisfied());
    }
}
