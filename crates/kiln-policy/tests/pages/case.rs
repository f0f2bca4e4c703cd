//! The cases of a page: a block `toml fails` (or `passes`, `unknown`, `not-applicable`) says what is different, and the block
//! `text` after it what kiln says to that.

use std::ops::Range;

use kiln_policy::Outcome;

pub(crate) struct Case {
    pub(crate) outcome: Outcome,
    pub(crate) change: String,
    /// Where in the page the answer stands.
    pub(crate) answer: Range<usize>,
}

pub(crate) fn cases(page: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut at = 0;
    while let Some((info, body, end)) = block(page, at) {
        at = end;
        let Some(outcome) = info.strip_prefix("toml ").map(outcome) else { continue };
        let answered = block(page, at).filter(|(info, ..)| *info == "text");
        let (_, answer, end) = answered.unwrap_or_else(|| panic!("no block `text` after {info}:\n{page}"));
        cases.push(Case { outcome, change: page[body].to_owned(), answer });
        at = end;
    }
    cases
}

fn outcome(word: &str) -> Outcome {
    match word {
        "fails" => Outcome::Fail,
        "passes" => Outcome::Pass,
        "unknown" => Outcome::Unknown,
        "not-applicable" => Outcome::NotApplicable,
        other => panic!("no case ends as `{other}`"),
    }
}

/// The first block after `from`: what is said of it, where its text is, and where it ends.
fn block(page: &str, from: usize) -> Option<(&str, Range<usize>, usize)> {
    const FENCE: &str = "\n```";
    let info = from + page[from..].find(FENCE)? + FENCE.len();
    let start = info + page[info..].find('\n')? + 1;
    let end = start + page[start - 1..].find(FENCE)?;
    Some((&page[info..start - 1], start..end, end + FENCE.len() - 1))
}
