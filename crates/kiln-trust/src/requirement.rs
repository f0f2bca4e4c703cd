use kiln_attest::Statement;
use kiln_attest::predicate::{self, short_name};
use serde_json::Value;

use crate::Matcher;

/// The severities that count in a scan, as the scanners write them.
const CRITICAL: &str = "critical";

/// A statement that must be there, and what it must say. The predicate type is always compared whole.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// The predicate type.
    pub predicate_type: String,
    /// What the predicate must say besides.
    pub rules: Vec<Rule>,
}

/// What a predicate must say.
#[derive(Clone, Debug)]
pub enum Rule {
    /// SLSA provenance: by this builder.
    Builder(Matcher),
    /// SLSA provenance: from sources of this repository.
    Source(Matcher),
    /// A scan that ended no longer ago than this.
    MaxAge {
        /// Seconds.
        seconds: u64,
        /// Seconds since 1970.
        now: u64,
    },
    /// A scan without critical findings.
    NoCritical,
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

    /// Why the statement does not meet it; `None` where it does. It has the right type.
    pub(crate) fn unmet(&self, statement: &Statement) -> Option<String> {
        let predicate = statement.predicate.as_ref().unwrap_or(&Value::Null);
        self.rules.iter().find_map(|rule| rule.unmet(predicate))
    }
}

impl Rule {
    /// Whether it makes sense for a predicate type.
    pub fn is_for(&self, predicate_type: &str) -> bool {
        match self {
            Self::Builder(_) | Self::Source(_) => predicate_type == predicate::PROVENANCE,
            Self::MaxAge { .. } | Self::NoCritical => predicate_type == predicate::VULNERABILITIES,
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
                let is_right = found.iter().any(|source| wanted.is_match(source));
                (!is_right).then(|| format!("the sources are {}, not {wanted}", listed(&found)))
            }
            Self::MaxAge { seconds, now } => too_old(predicate, *seconds, *now),
            Self::NoCritical => criticals(predicate),
        }
    }
}

/// Repositories that provenance names: what was resolved, without its revision. Source: SLSA v1.0, `buildDefinition`.
fn sources(predicate: &Value) -> Vec<String> {
    let resolved = predicate.pointer("/buildDefinition/resolvedDependencies").and_then(Value::as_array);
    let uris = resolved.into_iter().flatten().filter_map(|entry| entry["uri"].as_str());
    let of_git = uris.filter_map(|uri| uri.strip_prefix("git+"));
    of_git.map(|uri| uri.split(['@', '#']).next().unwrap_or(uri).to_owned()).collect()
}

fn listed(texts: &[String]) -> String {
    if texts.is_empty() { "not named".to_owned() } else { texts.join(", ") }
}

/// Source: cosign, `specs/COSIGN_VULN_ATTESTATION_SPEC.md`.
fn too_old(predicate: &Value, seconds: u64, now: u64) -> Option<String> {
    let ended = predicate.pointer("/metadata/scanFinishedOn").and_then(Value::as_str);
    let Some(ended) = ended.and_then(|text| text.parse::<jiff::Timestamp>().ok()) else {
        return Some("it does not say when the scan ended".to_owned());
    };
    let age = i64::try_from(now).unwrap_or(i64::MAX) - ended.as_second();
    match u64::try_from(age) {
        Err(_) => Some(format!("the scan ended in the future, at {ended}")),
        Ok(age) if age > seconds => {
            Some(format!("the scan ended at {ended}, more than {} days ago", seconds / 86_400))
        }
        Ok(_) => None,
    }
}

/// What a scanner found, in the forms of kiln, Grype and Trivy. A result that is not understood is no clean one.
fn criticals(predicate: &Value) -> Option<String> {
    let result = predicate.pointer("/scanner/result").unwrap_or(&Value::Null);
    let severities = [
        ("/report/matches", vec!["severity"]),
        ("/matches", vec!["severity"]),
        ("/matches", vec!["vulnerability", "severity"]),
    ];
    let mut is_known = false;
    let mut count = 0;
    for (list, way) in severities {
        let Some(found) = result.pointer(list).and_then(Value::as_array) else { continue };
        is_known = true;
        let severity = |entry: &Value| {
            let value = way.iter().fold(entry, |value, key| &value[*key]);
            value.as_str().is_some_and(|severity| severity.eq_ignore_ascii_case(CRITICAL))
        };
        count += found.iter().filter(|entry| severity(entry)).count();
    }
    if let Some(results) = result["Results"].as_array() {
        is_known = true;
        let found = results.iter().filter_map(|target| target["Vulnerabilities"].as_array()).flatten();
        count += found
            .filter(|entry| {
                entry["Severity"].as_str().is_some_and(|severity| severity.eq_ignore_ascii_case(CRITICAL))
            })
            .count();
    }
    match (is_known, count) {
        (false, _) => Some("the result of the scan is in a form that is not understood".to_owned()),
        (true, 0) => None,
        (true, count) => Some(format!("the scan found {count} critical vulnerabilities")),
    }
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
                { "uri": "pkg:npm/express@5" }, { "uri": "git+https://example.invalid/org/app@refs/heads/main" },
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
        unmet(Rule::Source(exact("x")), &Value::Null, Some(r#"the sources are not named, not "x""#));
        unmet(
            Rule::Builder(Matcher::pattern(".*").unwrap()),
            &Value::Null,
            Some(r#"the builder is "", not /^(?:.*)$/"#),
        );
    }

    #[test]
    fn scans_have_an_age() {
        let age = |text: &str| {
            let predicate = json!({ "metadata": { "scanFinishedOn": text } });
            Rule::MaxAge { seconds: 86_400, now: 1_000_000 }.unmet(&predicate)
        };
        assert_eq!(age("1970-01-12T00:00:00Z"), None);
        assert!(age("1970-01-10T00:00:00Z").unwrap().contains("more than 1 days ago"));
        assert!(age("1971-01-01T00:00:00Z").unwrap().contains("in the future"));
        assert!(age("yesterday").unwrap().contains("does not say"));
    }

    #[test]
    fn results_of_scanners_are_counted_or_not_believed() {
        let of = |result: Value| Rule::NoCritical.unmet(&json!({ "scanner": { "result": result } }));
        assert_eq!(of(json!({ "matches": [{ "vulnerability": { "severity": "High" } }] })), None);
        let one = Some("the scan found 1 critical vulnerabilities".to_owned());
        assert_eq!(of(json!({ "matches": [{ "vulnerability": { "severity": "Critical" } }] })), one);
        assert_eq!(of(json!({ "report": { "matches": [{ "severity": "critical" }] } })), one);
        assert_eq!(of(json!({ "Results": [{}, { "Vulnerabilities": [{ "Severity": "CRITICAL" }] }] })), one);
        for unknown in [json!(null), json!({}), json!({ "matches": 3 })] {
            assert!(of(unknown).unwrap().contains("not understood"));
        }
    }
}
