//! What statements about scans for vulnerabilities say. Of several, the newest decides.

use jiff::Timestamp;
use kiln_finding::Severity;
use serde_json::Value;

use crate::reason::Reason;

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
    pub(crate) fn ended(&self) -> Option<i64> {
        self.newest.map(Timestamp::as_second)
    }

    /// Why they are too old.
    pub(crate) fn too_old(&self, seconds: u64, now: u64) -> Option<Reason> {
        let Some(ended) = self.newest else {
            return Some(Reason::fact("it does not say when the scan ended".to_owned()));
        };
        let age = i64::try_from(now).unwrap_or(i64::MAX) - ended.as_second();
        match u64::try_from(age) {
            Err(_) => Some(in_the_future(ended)),
            Ok(age) if age > seconds => Some(Reason::fact(format!(
                "the scan ended at {ended}, more than {} days ago",
                seconds / 86_400
            ))),
            Ok(_) => None,
        }
    }

    /// Why they are not clean: first what one of them found, then what none of them judged. One of the future would be the newest for
    /// ever.
    pub(crate) fn critical(&self, now: u64) -> Option<Reason> {
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        match self.newest {
            Some(ended) if ended.as_second() > now => Some(in_the_future(ended)),
            _ => {
                let reasons = self.decisive.iter().filter_map(|predicate| criticals(predicate));
                reasons.min_by_key(|reason| reason.is_open)
            }
        }
    }
}

fn in_the_future(ended: Timestamp) -> Reason {
    Reason::fact(format!("the scan ended in the future, at {ended}"))
}

/// Source: cosign, `specs/COSIGN_VULN_ATTESTATION_SPEC.md`.
fn ended(predicate: &Value) -> Option<Timestamp> {
    predicate.pointer("/metadata/scanFinishedOn")?.as_str()?.parse().ok()
}

/// What a scanner found, in the forms of kiln, Grype and Trivy; `None` where the result is in another. Everything that a form calls
/// findings counts, whatever stands beside it.
fn findings(result: &Value) -> Option<Vec<&Value>> {
    let targets = match &result["Results"] {
        Value::Null => &[][..],
        targets => targets.as_array()?,
    };
    let lists = [result.pointer("/report/matches").unwrap_or(&Value::Null), &result["matches"]];
    // A target without findings has no list of them.
    let lists = lists.into_iter().chain(targets.iter().map(|target| &target["Vulnerabilities"]));
    let lists: Vec<&Value> = lists.filter(|list| !list.is_null()).collect();
    if lists.is_empty() && !result["Results"].is_array() {
        return None;
    }
    let mut found = Vec::new();
    for list in lists {
        found.extend(list.as_array()?);
    }
    Some(found)
}

/// The worst of all that a finding says of itself. What is exploited in the wild, and what is malware, is critical; a word that nobody
/// knows is unknown.
fn severity(found: &Value) -> Severity {
    if is_exploited(found) || is_malware(found) {
        return Severity::Critical;
    }
    let words = [&found["severity"], &found["vulnerability"]["severity"], &found["Severity"]];
    let said = words.into_iter().filter(|word| !word.is_null());
    let said: Vec<Severity> =
        said.map(|word| word.as_str().map_or(Severity::Unknown, Severity::read)).collect();
    match said.iter().max() {
        Some(Severity::Critical) => Severity::Critical,
        Some(worst) if !said.contains(&Severity::Unknown) => *worst,
        _ => Severity::Unknown,
    }
}

/// As kiln says it, and as Grype does.
fn is_exploited(found: &Value) -> bool {
    let listed = found["vulnerability"]["knownExploited"].as_array();
    found["known_exploited"] == true || listed.is_some_and(|entries| !entries.is_empty())
}

/// Source: OpenSSF, malicious-packages.
fn is_malware(found: &Value) -> bool {
    let ids = [&found["id"], &found["vulnerability"]["id"], &found["VulnerabilityID"]];
    let aliases = found["aliases"].as_array().into_iter().flatten();
    ids.into_iter().chain(aliases).filter_map(Value::as_str).any(|id| id.starts_with("MAL-"))
}

/// Why a scan of kiln does not tell of everything, as it says itself.
fn leaves_out(result: &Value) -> Option<String> {
    if !matches!(result["not_shown"], Value::Null) && result["not_shown"] != 0 {
        return Some(format!("the scan leaves out {} vulnerabilities that it found", result["not_shown"]));
    }
    if result.pointer("/Metadata/OS/EOSL") == Some(&Value::Bool(true)) {
        return Some("the scan is of a release that nobody repairs any more".to_owned());
    }
    if result["Results"].as_array().is_some_and(Vec::is_empty) {
        return Some("the scan looked at nothing".to_owned());
    }
    let unread = [&result["unread"], result.pointer("/report/unread").unwrap_or(&Value::Null)];
    let is_unread = unread.iter().any(|list| list.as_array().is_some_and(|list| !list.is_empty()));
    let is_complete = matches!(result["complete"], Value::Null | Value::Bool(true));
    let is_silent = result["complete"].is_null() && is_open(&result["report"]);
    (is_unread || !is_complete || is_silent)
        .then(|| "the scan does not know everything, as it says itself".to_owned())
}

/// Whether a report of kiln leaves something open, where nobody says that all of it is accepted.
fn is_open(report: &Value) -> bool {
    let some = |key: &str| report[key].as_array().is_some_and(|list| !list.is_empty());
    let groups = report["coverage"].as_array().into_iter().flatten();
    let mut states = groups.map(|group| &group["covered"]["state"]);
    some("end_of_life") || some("unseen") || states.any(|state| state != "full")
}

/// Why a scan is not clean. A result that is not understood is no clean one, nor is a severity, nor one that leaves something open: of
/// those nobody knows.
fn criticals(predicate: &Value) -> Option<Reason> {
    let result = predicate.pointer("/scanner/result").unwrap_or(&Value::Null);
    // kiln writes a list, of one image or several.
    let documents = result.as_array().map_or(std::slice::from_ref(result), Vec::as_slice);
    let (mut found, mut is_understood) = (Vec::new(), !documents.is_empty());
    for document in documents {
        match findings(document) {
            Some(own) => found.extend(own.into_iter().map(severity)),
            None => is_understood = false,
        }
    }
    let count = |wanted: Severity| found.iter().filter(|severity| **severity == wanted).count();
    match (count(Severity::Critical), count(Severity::Unknown)) {
        (0, _) if !is_understood => {
            Some(Reason::open("the result of the scan is in a form that is not understood".to_owned()))
        }
        (0, 0) => documents.iter().find_map(leaves_out).map(Reason::open),
        (0, unknown) => Some(Reason::open(format!(
            "the scan found {unknown} vulnerabilities without a severity that is known"
        ))),
        (critical, _) => Some(Reason::fact(format!("the scan found {critical} critical vulnerabilities"))),
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
        let age = |text: &str| Scans::of(&[&scan(text, "low")]).too_old(86_400, NOW).map(|reason| reason.why);
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
        assert_eq!(Scans::of(&[&scan(old, "low"), &scan(new, "low")]).ended(), Some(864_000));
    }

    #[test]
    fn what_one_found_goes_before_what_another_did_not_judge() {
        let unjudged = json!({ "scanner": { "result": {} } });
        let found = Scans::of(&[&unjudged, &scan("", "critical")]).critical(NOW).unwrap();
        assert!(!found.is_open && found.why.contains("1 critical"), "{found:?}");
    }

    #[test]
    fn results_of_scanners_are_counted_or_not_believed() {
        let of =
            |result: Value| criticals(&json!({ "scanner": { "result": result } })).map(|reason| reason.why);
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

    #[test]
    fn a_scan_that_leaves_something_open_is_not_clean() {
        let of = |result: Value| criticals(&json!({ "scanner": { "result": result } }));
        let critical = json!({ "matches": [{ "severity": "critical" }] });
        for (result, why) in [
            (json!([critical, {}]), "1 critical"),
            (json!([critical, { "matches": [], "complete": false }]), "1 critical"),
            (json!({ "matches": [], "complete": false }), "does not know everything"),
            (
                json!({ "report": { "matches": [], "unread": [{ "path": "a" }] }, "complete": true }),
                "not know",
            ),
            (json!({ "report": { "matches": [] }, "complete": true, "not_shown": 1 }), "leaves out 1"),
            (json!([{ "matches": [] }, { "matches": [], "complete": "?" }]), "does not know everything"),
            (json!([{ "matches": [] }, {}]), "not understood"),
            (json!([]), "not understood"),
            (json!({ "SchemaVersion": 2, "Results": [] }), "looked at nothing"),
            (
                json!({ "Metadata": { "OS": { "Family": "debian", "EOSL": true } }, "Results": [{ "Target": "x" }] }),
                "nobody repairs",
            ),
            (
                json!({ "report": { "matches": [], "coverage": [{ "covered": { "state": "none" } }] } }),
                "not know",
            ),
            (json!({ "report": { "matches": [], "end_of_life": [{ "product": "debian" }] } }), "not know"),
            (json!({ "matches": [{ "severity": "medium", "known_exploited": true }] }), "1 critical"),
            (json!({ "matches": [{ "severity": "medium", "aliases": ["MAL-2025-1"] }] }), "1 critical"),
            (
                json!({ "matches": [{ "vulnerability": { "severity": "High", "knownExploited": [{}] } }] }),
                "1 critical",
            ),
            (
                json!({ "matches": [], "Results": [{ "Vulnerabilities": [{ "Severity": "CRITICAL" }] }] }),
                "1 critical",
            ),
            (
                json!({ "matches": [{ "severity": "low", "vulnerability": { "severity": "Critical" } }] }),
                "1 critical",
            ),
            (json!({ "matches": [{ "severity": "low", "Severity": 9.8 }] }), "1 vulnerabilities without"),
            (json!({ "report": { "matches": [] }, "matches": [{ "severity": "critical" }] }), "1 critical"),
        ] {
            let said = of(result.clone()).unwrap();
            assert!(said.why.contains(why), "{result}: {said:?}");
            assert_eq!(said.is_open, !why.contains("critical"), "{result}: what nobody judged is not known");
        }
        for clean in [
            json!([{ "report": { "matches": [], "unread": [] }, "complete": true }]),
            json!({ "matches": [{ "severity": "low", "known_exploited": false, "id": "CVE-2025-1" }] }),
            json!({ "matches": [{ "vulnerability": { "severity": "High", "knownExploited": [] } }] }),
            json!({ "SchemaVersion": 2, "Results": [{ "Target": "x", "Class": "os-pkgs" }] }),
            json!({ "report": { "matches": [], "coverage": [{ "covered": { "state": "full" } }], "end_of_life": [] } }),
            json!({ "report": { "matches": [], "coverage": [{ "covered": { "state": "none" } }] }, "complete": true }),
        ] {
            assert_eq!(of(clean.clone()), None, "{clean}");
        }
    }
}
