use kiln_attest::predicate::{SIGNATURE, VULNERABILITIES};
use serde_json::json;

use super::*;
use crate::Rule;

/// A report about statements of these types and times, by whom it must be.
fn report(required: &[Requirement], said: &[(&str, &str)]) -> TrustReport {
    let image = Digest::of(b"image");
    let statements = said.iter().map(|(predicate_type, ended)| {
        let predicate = json!({
            "scanner": { "result": { "matches": [] } }, "metadata": { "scanFinishedOn": ended },
        });
        let value = Statement::about(&image, predicate_type, predicate);
        Verified { value, signer: Signer::Key { hint: String::new() } }
    });
    let mut report = TrustReport::nothing(image, &[]);
    report.statements = statements.collect();
    let abouts = [image].into();
    report.outcomes = required.iter().map(|wanted| outcome(wanted, &report.statements, &abouts)).collect();
    report
}

fn unseen(predicate_type: Option<&str>, since: Option<i64>) -> Unseen {
    let about = Some(Digest::of(b"image"));
    Unseen { about, predicate_type: predicate_type.map(str::to_owned), since }
}

#[test]
fn what_was_not_looked_at_is_never_missing() {
    let required = [Requirement::of(SIGNATURE)];
    assert_eq!(report(&required, &[]).verdict(), Verdict::Refused);
    // Whatever its list says it is: that is a hint only.
    for other in [unseen(None, None), unseen(Some(SIGNATURE), Some(1)), unseen(Some("other"), Some(1))] {
        let one = [other];
        assert_eq!(report(&required, &[]).leaving(&one, &[]).verdict(), Verdict::NotKnown);
        assert_eq!(report(&required, &[]).leaving(&[], &one).verdict(), Verdict::NotKnown);
        assert_eq!(report(&required, &[(SIGNATURE, "")]).leaving(&one, &[]).verdict(), Verdict::Met);
    }
    assert_eq!(report(&[], &[]).leaving(&[unseen(None, None)], &[]).verdict(), Verdict::Refused);
}

/// A scan every day must not block an image, and an old clean one must not hide a new one.
#[test]
fn a_scan_decides_unless_what_was_not_looked_at_may_be_newer() {
    let required =
        [Requirement { rules: vec![Rule::NoCritical { now: 2000 }], ..Requirement::of(VULNERABILITIES) }];
    let scan = [(VULNERABILITIES, "1970-01-01T00:16:40Z")];
    let verdict = |one: Unseen| report(&required, &scan).leaving(&[one], &[]).verdict();
    assert_eq!(verdict(unseen(Some(VULNERABILITIES), Some(999))), Verdict::Met);
    assert_eq!(verdict(unseen(Some(SIGNATURE), Some(2000))), Verdict::Met);
    for newer in [
        unseen(Some(VULNERABILITIES), Some(1000)),
        unseen(Some(VULNERABILITIES), None),
        unseen(None, Some(1500)),
    ] {
        assert_eq!(verdict(newer), Verdict::NotKnown);
    }
}

#[test]
fn where_no_scan_says_when_it_ended_each_may_be_the_newest() {
    let required =
        [Requirement { rules: vec![Rule::NoCritical { now: 2000 }], ..Requirement::of(VULNERABILITIES) }];
    let verdict = |one: Unseen| report(&required, &[(VULNERABILITIES, "")]).leaving(&[one], &[]).verdict();
    assert_eq!(verdict(unseen(Some(SIGNATURE), None)), Verdict::Met);
    for other in [unseen(Some(VULNERABILITIES), Some(1)), unseen(None, None)] {
        assert_eq!(verdict(other), Verdict::NotKnown);
    }
}

#[test]
fn what_is_not_there_is_refused_whatever_else_is_not_known() {
    let rules = vec![Rule::MaxAge { seconds: 1, now: 2000 }];
    let required = [Requirement { rules, ..Requirement::of(VULNERABILITIES) }, Requirement::of(SIGNATURE)];
    let scan = [(VULNERABILITIES, "1970-01-01T00:16:40Z")];
    let old = unseen(Some(VULNERABILITIES), Some(1));
    assert_eq!(report(&required, &scan).leaving(&[old], &[]).verdict(), Verdict::Refused);
}

/// A scan of the image, of the index, or of both, by what it found and when.
fn scan(about: &[&Digest], severity: Option<&str>, ended: &str) -> Verified<Statement> {
    let matches: Vec<_> = severity.iter().map(|severity| json!({ "severity": severity })).collect();
    let predicate = json!({
        "scanner": { "result": { "matches": matches } }, "metadata": { "scanFinishedOn": ended },
    });
    let mut value = Statement::about(about[0], VULNERABILITIES, predicate.clone());
    for more in &about[1..] {
        value.subject.extend(Statement::about(more, VULNERABILITIES, predicate.clone()).subject);
    }
    Verified { value, signer: Signer::Key { hint: String::new() } }
}

/// What is said of an image is said of it whether it is asked for by itself or through the index that holds it.
#[test]
fn a_scan_of_an_index_takes_nothing_back_that_is_said_of_its_image() {
    let (image, index) = (Digest::of(b"image"), Digest::of(b"index"));
    let (old, new) = ("1970-01-01T00:10:00Z", "1970-01-01T00:20:00Z");
    let wanted =
        Requirement { rules: vec![Rule::NoCritical { now: 2000 }], ..Requirement::of(VULNERABILITIES) };
    let judged = |scans: &[Verified<Statement>], abouts: &[Digest]| {
        let about = |one: &&Verified<Statement>| abouts.iter().any(|about| one.value.is_about(about));
        let scans: Vec<_> = scans.iter().filter(about).cloned().collect();
        let outcome = outcome(&wanted, &scans, &abouts.iter().copied().collect());
        (outcome.found, outcome.not_known)
    };
    let (yes, no, open) = ((true, false), (false, false), (false, true));
    for (scans, through_index, by_itself) in [
        (vec![scan(&[&index], None, new), scan(&[&image], Some("critical"), old)], no, no),
        (vec![scan(&[&index], None, old), scan(&[&image], Some("critical"), new)], no, no),
        (vec![scan(&[&index], None, new), scan(&[&image], Some("?"), old)], open, open),
        (vec![scan(&[&index], Some("critical"), new), scan(&[&image], None, old)], no, yes),
        (vec![scan(&[&index], None, new), scan(&[&image], None, old)], yes, yes),
        (vec![scan(&[&index], None, new)], yes, no),
        // A newer one that is about both takes back what an older one says of either.
        (vec![scan(&[&index, &image], None, new), scan(&[&image], Some("critical"), old)], yes, yes),
        (vec![scan(&[&index, &image], Some("critical"), new), scan(&[&image], None, old)], no, no),
    ] {
        assert_eq!(judged(&scans, &[image, index]), through_index, "{scans:?}");
        assert_eq!(judged(&scans, &[image]), by_itself, "{scans:?}");
    }
}

#[test]
fn what_was_not_looked_at_is_measured_by_what_is_known_of_the_same() {
    let (image, index) = (Digest::of(b"image"), Digest::of(b"index"));
    let wanted =
        Requirement { rules: vec![Rule::NoCritical { now: 2000 }], ..Requirement::of(VULNERABILITIES) };
    let scans = [scan(&[&index], None, "1970-01-01T00:16:40Z")];
    let verdict = |about: Digest, since: i64| {
        let mut outcome = outcome(&wanted, &scans, &[image, index].into());
        outcome.leave(&Unseen { about: Some(about), ..unseen(Some(VULNERABILITIES), Some(since)) });
        outcome.found
    };
    assert!(verdict(index, 999) && !verdict(index, 1000));
    assert!(!verdict(image, 1), "nothing is known of the image itself");
}
