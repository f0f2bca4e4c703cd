use crate::{Context, Edit, Finding, Level, LintSettings, Linted, Repair, lint};

/// More rounds than this do not settle.
const MAX_ROUNDS: usize = 40;

/// A file after fixing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The text.
    pub text: String,
    /// What was done, in order.
    pub applied: Vec<Applied>,
}

/// One repair that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The rule.
    pub id: &'static str,
    /// The line at that time, from 1.
    pub line: u32,
    /// What it did.
    pub title: String,
}

/// Repairs what can be repaired without changing the structure. `limit` is [`Repair::Safe`] or [`Repair::Unsafe`].
///
/// Edits are made round by round until nothing is left to do. A repair that does not make its finding go away, or that
/// would bring an error that was not there, is not made.
pub fn fix(text: &str, context: Option<&Context>, settings: &LintSettings, limit: Repair) -> Fixed {
    let mut fixed = Fixed { text: text.to_owned(), applied: Vec::new() };
    let mut refused: Vec<(&'static str, String)> = Vec::new();
    let mut linted = lint(&fixed.text, context, settings);
    for _ in 0..MAX_ROUNDS {
        let chosen = choose(&linted, limit, &refused);
        if chosen.is_empty() {
            break;
        }
        let (next, next_linted) = attempt(&linted, &chosen, context, settings);
        if is_better(&linted, &next_linted, &chosen) {
            record(&mut fixed, &linted, &chosen);
            fixed.text = next;
            linted = next_linted;
            continue;
        }
        // Together they do harm: one by one, to find out which.
        let mut done = false;
        for finding in &chosen {
            let (next, next_linted) = attempt(&linted, &[*finding], context, settings);
            if is_better(&linted, &next_linted, &[*finding]) {
                record(&mut fixed, &linted, &[*finding]);
                fixed.text = next;
                linted = next_linted;
                done = true;
                // What did harm before may do none now.
                refused.clear();
                break;
            }
            refused.push((finding.id, finding.message.clone()));
        }
        if !done {
            break;
        }
    }
    fixed
}

/// The repairs of one round: none touches what another one changes.
fn choose<'a>(linted: &'a Linted, limit: Repair, refused: &[(&'static str, String)]) -> Vec<&'a Finding> {
    let mut chosen: Vec<&Finding> = Vec::new();
    let mut taken: Vec<&Edit> = Vec::new();
    for finding in &linted.findings {
        let Some(fix) = finding.fix.as_ref().filter(|fix| fix.repair <= limit && !fix.edits.is_empty())
        else {
            continue;
        };
        let is_refused = refused.iter().any(|(id, message)| *id == finding.id && *message == finding.message);
        let overlaps = |a: &Edit, b: &Edit| {
            a.span.start < b.span.end && b.span.start < a.span.end
                || a.span.start == b.span.start
                || (a.span.end == b.span.start && a.span.is_empty())
        };
        if is_refused || fix.edits.iter().any(|edit| taken.iter().any(|other| overlaps(edit, other))) {
            continue;
        }
        taken.extend(&fix.edits);
        chosen.push(finding);
    }
    chosen
}

fn attempt(
    linted: &Linted,
    chosen: &[&Finding],
    context: Option<&Context>,
    settings: &LintSettings,
) -> (String, Linted) {
    let mut edits: Vec<&Edit> =
        chosen.iter().filter_map(|finding| finding.fix.as_ref()).flat_map(|fix| &fix.edits).collect();
    edits.sort();
    let mut text = String::with_capacity(linted.file.text.len());
    let mut at = 0;
    for edit in edits {
        // Edits of one repair that overlap are a mistake of its rule; the second is left out.
        if edit.span.start < at || linted.file.text.get(edit.span.range()).is_none() {
            continue;
        }
        text.push_str(linted.file.text.get(at..edit.span.start).unwrap_or_default());
        text.push_str(&edit.text);
        at = edit.span.end;
    }
    text.push_str(linted.file.text.get(at..).unwrap_or_default());
    let next = lint(&text, context, settings);
    (text, next)
}

/// What was repaired is gone, and no kind of error became more frequent.
fn is_better(before: &Linted, after: &Linted, chosen: &[&Finding]) -> bool {
    let errors = |linted: &Linted, id: &str| {
        linted.findings.iter().filter(|finding| finding.level == Level::Error && finding.id == id).count()
    };
    let same = |linted: &Linted, wanted: &Finding| {
        linted
            .findings
            .iter()
            .filter(|found| found.id == wanted.id && found.message == wanted.message)
            .count()
    };
    let is_gone = chosen.iter().all(|finding| same(after, finding) < same(before, finding));
    let new_errors = after
        .findings
        .iter()
        .filter(|finding| finding.level == Level::Error)
        .any(|finding| errors(after, finding.id) > errors(before, finding.id));
    is_gone && !new_errors
}

fn record(fixed: &mut Fixed, linted: &Linted, chosen: &[&Finding]) {
    fixed.applied.extend(chosen.iter().filter_map(|finding| {
        let title = finding.fix.as_ref()?.title.clone();
        Some(Applied { id: finding.id, line: linted.file.lines.line(finding.span.start), title })
    }));
}
