//! The page of every check is true: each case in it changes a world that passes everything, and the scorecard says what the page
//! says. `UPDATE=1 cargo test -p kiln-policy --test pages` writes the answers anew.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod case;
mod world;

use std::path::{Path, PathBuf};

use case::{Case, cases};
use kiln_policy::{CHECKS, Check, Line, Outcome, Scorecard, Stage, judge};
use world::World;

fn path(check: &Check) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/checks/{}.md", check.id))
}

/// What `kiln check` says of this check: why, and how it is put right.
fn answer(line: &Line) -> String {
    let cure = line.cure.as_ref().map(|cure| format!("fix: {cure}\n"));
    let details = line.details.iter().map(|detail| format!("- {detail}\n")).collect::<Vec<_>>().concat();
    format!("{}\n{details}{}", line.reason, cure.unwrap_or_default())
}

/// Whether other checks may end like this where this one ends as `outcome`: what one cannot know, others may need, too.
fn may_end(outcome: Outcome, other: Outcome) -> bool {
    other == Outcome::Pass || (outcome == Outcome::Unknown && other == Outcome::Unknown)
}

/// What is wrong with a case, and what the check answers.
fn perform(check: &Check, case: &Case) -> (Vec<String>, String) {
    let world =
        World::read(&case.change).unwrap_or_else(|why| panic!("{}: {why}\n{}", check.id, case.change));
    let card: Scorecard = judge(&world.evidence, &world.settings, Stage::Attested);
    let mut problems = Vec::new();
    let line = card.lines.iter().find(|line| line.id == check.id).unwrap();
    if line.outcome != case.outcome {
        problems.push(format!(
            "{}: {:?} in place of {:?}:\n{}",
            check.id, line.outcome, case.outcome, case.change
        ));
    }
    for other in card.lines.iter().filter(|other| other.id != check.id) {
        if !may_end(case.outcome, other.outcome) {
            problems.push(format!("{}: {} moves, too: {other:?}\n{}", check.id, other.id, case.change));
        }
    }
    (problems, answer(line))
}

#[test]
fn pages_are_true() {
    let mut problems = Vec::new();
    for check in CHECKS {
        let mut page = std::fs::read_to_string(path(check)).unwrap();
        let cases = cases(&page);
        for case in cases.iter().rev() {
            let (wrong, answer) = perform(check, case);
            problems.extend(wrong);
            if std::env::var_os("UPDATE").is_some() {
                page.replace_range(case.answer.clone(), &answer);
            } else if page[case.answer.clone()] != answer {
                problems.push(format!(
                    "{}: UPDATE=1 writes the answer to\n{}as\n{answer}",
                    check.id, case.change
                ));
            }
        }
        for outcome in [Outcome::Fail, Outcome::Pass] {
            if !cases.iter().any(|case| case.outcome == outcome) {
                problems.push(format!("{}: its page has no case that ends as {outcome:?}", check.id));
            }
        }
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path(check), page).unwrap();
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_case_that_names_no_fact_is_refused() {
    for change in ["sise.compressed = 1", "size.compresed = 1", "policy.size-buget = 1"] {
        assert!(World::read(change).is_err(), "{change}");
    }
}
