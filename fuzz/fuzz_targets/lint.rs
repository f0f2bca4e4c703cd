#![no_main]
//! Every rule and every repair on hostile Dockerfiles: nothing panics, fixing ends, fixing again changes nothing.

use kiln_lint::{LintSettings, Profile, RULES, Repair, fix, lint};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut settings = LintSettings::new("2026-11-21");
    settings.profile = Some(Profile::Docker);
    settings.enable = RULES.iter().map(|rule| rule.id.to_owned()).collect();
    let linted = lint(text, None, &settings);
    assert!(linted.findings.iter().all(|finding| text.get(finding.span.range()).is_some()));
    if text.len() < 2_000 {
        let once = fix(text, None, &settings, Repair::Unsafe);
        assert_eq!(fix(&once.text, None, &settings, Repair::Unsafe).text, once.text);
    }
});
