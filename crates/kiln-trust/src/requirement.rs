use kiln_attest::Statement;
use kiln_attest::predicate::{self, short_name};
use serde_json::Value;

use crate::Matcher;
use crate::reason::Reason;
use crate::scan::Scans;
use crate::source::sources;

/// A statement that must be there, and what it must say. The predicate type is always compared whole.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// The predicate type.
    pub predicate_type: String,
    /// What the predicate must say besides.
    pub rules: Vec<Rule>,
}

/// What the newest scan of an image or an index says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// When it ended, in seconds since 1970.
    pub(crate) ended: Option<i64>,
    /// Why that is not what is asked for.
    pub(crate) unmet: Vec<Reason>,
}

/// What a predicate must say.
#[derive(Clone, Debug)]
pub enum Rule {
    /// SLSA provenance: by this builder.
    Builder(Matcher),
    /// SLSA provenance: from sources of this repository, as the build names them, and no others.
    Source(Matcher),
    /// A scan that ended no longer ago than this.
    MaxAge {
        /// Seconds.
        seconds: u64,
        /// Seconds since 1970.
        now: u64,
    },
    /// A scan without critical findings, and the newest one.
    NoCritical {
        /// Seconds since 1970.
        now: u64,
    },
}

impl Requirement {
    /// A statement of this type, whatever it says.
    pub fn of(predicate_type: &str) -> Self {
        Self { predicate_type: predicate_type.to_owned(), rules: Vec::new() }
    }

    /// The name people call it by.
    pub fn name(&self) -> &str {
        short_name(&self.predicate_type)
    }

    /// Whether the newest statement decides, and no other.
    pub(crate) fn newest_decides(&self) -> bool {
        self.rules.iter().any(Rule::is_of_scans)
    }

    /// Why the right statements of its type do not meet it; nothing where one of them does, or there are none.
    pub(crate) fn unmet(&self, statements: &[&Statement]) -> Vec<String> {
        let unmet = |predicate| self.rules.iter().find_map(|rule: &Rule| rule.unmet(predicate));
        let unmet: Vec<Option<String>> = predicates(statements).into_iter().map(unmet).collect();
        let is_met = unmet.iter().any(Option::is_none);
        if is_met { Vec::new() } else { unmet.into_iter().flatten().collect() }
    }

    /// What scans say of one image or index, of which the newest decides.
    pub(crate) fn said(&self, statements: &[&Statement]) -> Said {
        let scans = Scans::of(&predicates(statements));
        let mut unmet: Vec<Reason> =
            self.rules.iter().filter_map(|rule| rule.unmet_by_scans(&scans)).collect();
        unmet.dedup();
        Said { ended: scans.ended(), unmet }
    }
}

fn predicates<'a>(statements: &[&'a Statement]) -> Vec<&'a Value> {
    statements.iter().map(|statement| statement.predicate.as_ref().unwrap_or(&Value::Null)).collect()
}

impl Rule {
    /// Whether it makes sense for a predicate type.
    pub fn is_for(&self, predicate_type: &str) -> bool {
        let meant = if self.is_of_scans() { predicate::VULNERABILITIES } else { predicate::PROVENANCE };
        predicate_type == meant
    }

    fn is_of_scans(&self) -> bool {
        matches!(self, Self::MaxAge { .. } | Self::NoCritical { .. })
    }

    fn unmet_by_scans(&self, scans: &Scans<'_>) -> Option<Reason> {
        match self {
            Self::MaxAge { seconds, now } => scans.too_old(*seconds, *now),
            Self::NoCritical { now } => scans.critical(*now),
            Self::Builder(_) | Self::Source(_) => {
                Some(Reason::fact("a scan has neither builder nor sources".to_owned()))
            }
        }
    }

    fn unmet(&self, predicate: &Value) -> Option<String> {
        match self {
            Self::Builder(wanted) => {
                let found =
                    predicate.pointer("/runDetails/builder/id").and_then(Value::as_str).unwrap_or_default();
                (!wanted.is_match(found)).then(|| format!("the builder is {found:?}, not {wanted}"))
            }
            Self::Source(wanted) => {
                let found = sources(predicate);
                if found.is_empty() {
                    return Some(format!("the build does not name its source, and {wanted} is asked for"));
                }
                let is_right = found.iter().all(|source| is_from(source, wanted));
                (!is_right).then(|| format!("the sources are {}, not {wanted}", found.join(", ")))
            }
            Self::MaxAge { .. } | Self::NoCritical { .. } => Some("it is no scan".to_owned()),
        }
    }
}

/// Whether a repository is the one that is wanted, with the `.git` that servers let everybody leave away, and without it.
fn is_from(source: &str, wanted: &Matcher) -> bool {
    let other = source.strip_suffix(".git").map_or_else(|| format!("{source}.git"), str::to_owned);
    wanted.is_match(source) || wanted.is_match(&other)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn unmet(rule: Rule, predicate: &Value, expected: Option<&str>) {
        assert_eq!(rule.unmet(predicate).as_deref(), expected);
    }

    #[test]
    fn provenance_names_builder_and_sources() {
        let predicate = json!({
            "buildDefinition": { "resolvedDependencies": [
                { "uri": "git+https://example.invalid/org/library@v1" },
                { "name": "source", "uri": "git+https://example.invalid/org/app@refs/heads/main" },
            ] },
            "runDetails": { "builder": { "id": "https://example.invalid/builder" } },
        });
        let exact = |text: &str| Matcher::exact(text).unwrap();
        unmet(Rule::Builder(exact("https://example.invalid/builder")), &predicate, None);
        unmet(
            Rule::Builder(exact("other")),
            &predicate,
            Some(r#"the builder is "https://example.invalid/builder", not "other""#),
        );
        unmet(Rule::Source(exact("https://example.invalid/org/app")), &predicate, None);
        unmet(
            Rule::Source(exact("https://example.invalid/org/other")),
            &predicate,
            Some(
                r#"the sources are https://example.invalid/org/app, not "https://example.invalid/org/other""#,
            ),
        );
        unmet(
            Rule::Source(exact("https://example.invalid/org/library")),
            &predicate,
            Some(
                r#"the sources are https://example.invalid/org/app, not "https://example.invalid/org/library""#,
            ),
        );
        unmet(
            Rule::Source(exact("x")),
            &Value::Null,
            Some(r#"the build does not name its source, and "x" is asked for"#),
        );
        unmet(
            Rule::Builder(Matcher::pattern(".*").unwrap()),
            &Value::Null,
            Some(r#"the builder is "", not /^(?:.*)$/"#),
        );
    }

    #[test]
    fn of_several_statements_about_a_build_one_will_do_and_all_of_it() {
        let about = |builder: &str, source: &str| {
            let predicate = json!({
                "buildDefinition": { "externalParameters": { "source": source } },
                "runDetails": { "builder": { "id": builder } },
            });
            Statement::about(&kiln_oci::Digest::of(b""), predicate::PROVENANCE, predicate)
        };
        let exact = |text: &str| Matcher::exact(text).unwrap();
        let rules = vec![Rule::Builder(exact("ours")), Rule::Source(exact("app"))];
        let wanted = Requirement { rules, ..Requirement::of(predicate::PROVENANCE) };
        let (right, half, other) = (about("ours", "app"), about("ours", "evil"), about("theirs", "app"));
        assert_eq!(wanted.unmet(&[&half, &right]), [""; 0]);
        assert_eq!(wanted.unmet(&[&half, &other]).len(), 2, "no half makes a whole");
    }
}
