//! What statements about scans for vulnerabilities say. Of several, the newest decides.

use jiff::Timestamp;
use kiln_finding::Severity;
use serde_json::Value;

/// Predicates of scans by one authority.
pub(crate) struct Scans<'a> {
    /// When the newest ended.
    newest: Option<Timestamp>,
    /// The newest, and those that do not say when they ended: each of them may be it.
    decisive: Vec<&'a Value>,
}

impl<'a> Scans<'a> {
    pub(crate) fn of(predicates: &[&'a Value]) -> Self {
        let newest = predicates.iter().filter_map(|predicate| ended(predicate)).max();
        let is_decisive = |predicate: &&&Value| ended(predicate).is_none_or(|time| Some(time) == newest);
        Self { newest, decisive: predicates.iter().filter(is_decisive).copied().collect() }
    }

    /// When the one that decides ended, in seconds since 1970.
    pub(crate) fn decided_by(&self) -> Option<i64> {
        self.newest.map(Timestamp::as_second)
    }

    /// Why they are too old.
    pub(crate) fn too_old(&self, seconds: u64, now: u64) -> Option<String> {
        let Some(ended) = self.newest else {
            return Some("it does not say when the scan ended".to_owned());
        };
        let age = i64::try_from(now).unwrap_or(i64::MAX) - ended.as_second();
        match u64::try_from(age) {
            Err(_) => Some(in_the_future(ended)),
            Ok(age) if age > seconds => {
                Some(format!("the scan ended at {ended}, more than {} days ago", seconds / 86_400))
            }
            Ok(_) => None,
        }
    }

    /// Why they are not clean. One of the future would be the newest for ever.
    pub(crate) fn critical(&self, now: u64) -> Option<String> {
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        match self.newest {
            Some(ended) if ended.as_second() > now => Some(in_the_future(ended)),
            _ => self.decisive.iter().find_map(|predicate| criticals(predicate)),
        }
    }
}

fn in_the_future(ended: Timestamp) -> String {
    format!("the scan ended in the future, at {ended}")
}

/// Source: cosign, `specs/COSIGN_VULN_ATTESTATION_SPEC.md`.
fn ended(predicate: &Value) -> Option<Timestamp> {
    predicate.pointer("/metadata/scanFinishedOn")?.as_str()?.parse().ok()
}

/// Severities of what a scanner found, in the forms of kiln, Grype and Trivy; `None` where the result is in another.
fn severities(result: &Value) -> Option<Vec<Severity>> {
    let lists: Vec<&Value> = match (result.pointer("/report/matches"), &result["matches"], &result["Results"])
    {
        (Some(found), _, _) | (None, found @ Value::Array(_), _) => vec![found],
        (None, _, Value::Array(targets)) => {
            // A target without findings has no list of them.
            targets.iter().map(|target| &target["Vulnerabilities"]).filter(|list| !list.is_null()).collect()
        }
        _ => return None,
    };
    let mut severities = Vec::new();
    for list in lists {
        severities.extend(list.as_array()?.iter().map(severity));
    }
    Some(severities)
}

/// A word that nobody knows is unknown.
fn severity(found: &Value) -> Severity {
    let word = [&found["severity"], &found["vulnerability"]["severity"], &found["Severity"]];
    let word = word.into_iter().find_map(Value::as_str);
    word.map_or(Severity::Unknown, Severity::read)
}

/// Why a scan is not clean. A result that is not understood is no clean one, nor is a severity.
fn criticals(predicate: &Value) -> Option<String> {
    let result = predicate.pointer("/scanner/result").unwrap_or(&Value::Null);
    let Some(found) = severities(result) else {
        return Some("the result of the scan is in a form that is not understood".to_owned());
    };
    let count = |wanted: Severity| found.iter().filter(|severity| **severity == wanted).count();
    match (count(Severity::Critical), count(Severity::Unknown)) {
        (0, 0) => None,
        (0, unknown) => {
            Some(format!("the scan found {unknown} vulnerabilities without a severity that is known"))
        }
        (critical, _) => Some(format!("the scan found {critical} critical vulnerabilities")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_000_000;

    fn scan(ended: &str, severity: &str) -> Value {
        json!({
            "scanner": { "result": { "matches": [{ "vulnerability": { "severity": severity } }] } },
            "metadata": { "scanFinishedOn": ended },
        })
    }

    #[test]
    fn scans_have_an_age() {
        let age = |text: &str| Scans::of(&[&scan(text, "low")]).too_old(86_400, NOW);
        assert_eq!(age("1970-01-12T00:00:00Z"), None);
        assert!(age("1970-01-10T00:00:00Z").unwrap().contains("more than 1 days ago"));
        assert!(age("1971-01-01T00:00:00Z").unwrap().contains("in the future"));
        assert!(age("yesterday").unwrap().contains("does not say"));
    }

    #[test]
    fn the_newest_scan_decides() {
        let (old, new) = ("1970-01-02T00:00:00Z", "1970-01-11T00:00:00Z");
        for (scans, critical) in [
            ([scan(old, "low"), scan(new, "critical")], true),
            ([scan(new, "critical"), scan(old, "low")], true),
            ([scan(old, "critical"), scan(new, "low")], false),
            // Two that ended together, and one that does not say when.
            ([scan(new, "critical"), scan(new, "low")], true),
            ([scan(new, "low"), scan("", "critical")], true),
            // A clean one of the future would count for ever.
            ([scan("1999-01-01T00:00:00Z", "low"), scan(new, "low")], true),
        ] {
            let found = Scans::of(&[&scans[0], &scans[1]]);
            assert_eq!(found.critical(NOW).is_some(), critical, "{scans:?}");
        }
        assert_eq!(Scans::of(&[&scan("", "low"), &scan(new, "low")]).too_old(2 * 86_400, NOW), None);
        assert_eq!(Scans::of(&[&scan(old, "low"), &scan(new, "low")]).decided_by(), Some(864_000));
    }

    #[test]
    fn results_of_scanners_are_counted_or_not_believed() {
        let of = |result: Value| criticals(&json!({ "scanner": { "result": result } }));
        let one = Some("the scan found 1 critical vulnerabilities".to_owned());
        for (severity, expected) in [("High", &None), ("Negligible", &None), ("CRITICAL", &one)] {
            for result in [
                json!({ "matches": [{ "vulnerability": { "severity": severity } }] }),
                json!({ "matches": [{ "severity": severity }] }),
                json!({ "report": { "matches": [{ "severity": severity }] } }),
                json!({ "Results": [{}, { "Vulnerabilities": [{ "Severity": severity }] }] }),
            ] {
                assert_eq!(&of(result.clone()), expected, "{result}");
            }
        }
        for unknown in [
            json!(null),
            json!({}),
            json!({ "matches": 3 }),
            json!({ "report": { "matches": {} } }),
            json!({ "Results": [{ "Vulnerabilities": { "Severity": "LOW" } }] }),
        ] {
            assert!(of(unknown).unwrap().contains("not understood"));
        }
        for unjudged in [
            json!({}),
            json!({ "severity": "severe" }),
            json!({ "severity": 9.8 }),
            json!({ "severity": "UNKNOWN" }),
        ] {
            let said = of(json!({ "matches": [{ "severity": "low" }, unjudged] })).unwrap();
            assert!(said.contains("1 vulnerabilities without a severity"), "{said}");
        }
        assert_eq!(of(json!({ "matches": [] })), None);
    }
}
