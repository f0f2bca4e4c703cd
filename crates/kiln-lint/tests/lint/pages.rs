//! Every page holds what it says: flagged blocks fire their rule on the marked lines and nothing else, clean blocks fire
//! nothing, fixed blocks are what the fixer writes.

use std::collections::BTreeSet;
use std::path::Path;

use crate::world::{self, Block, blocks, context, settings};
use kiln_lint::{Asked, Finding, LintSettings, Profile, RULES, Repair, Rule, fix, lint};

fn asked(rule: &Rule) -> LintSettings {
    let mut settings = settings();
    settings.enable.insert(rule.id.to_owned());
    if rule.asked == Asked::Docker {
        settings.profile = Some(Profile::Docker);
    }
    settings
}

fn shown(findings: &[Finding]) -> String {
    let lines =
        findings.iter().map(|finding| format!("{} {:?} {}", finding.id, finding.span, finding.message));
    lines.collect::<Vec<_>>().join(
        "
",
    )
}

fn check(rule: &Rule, page: &[Block], problems: &mut Vec<String>) {
    let settings = asked(rule);
    let mut say = |what: String| problems.push(format!("{}: {what}", rule.id));
    let mut before: Option<&Block> = None;
    for block in page {
        let context = context(block);
        let linted = lint(&block.text, context.as_ref(), &settings);
        match block.kind.as_str() {
            "flagged" => {
                before = Some(block);
                let lines: BTreeSet<u32> = linted
                    .findings
                    .iter()
                    .map(|finding| linted.file.lines.line(finding.span.start))
                    .collect();
                let is_only = linted.findings.iter().all(|finding| finding.id == rule.id);
                if linted.findings.is_empty() || !is_only || lines != block.lines {
                    say(format!(
                        "flagged block, expected lines {:?}:\n{}\n{}",
                        block.lines,
                        block.text,
                        shown(&linted.findings)
                    ));
                }
                let has_fix = linted.findings.iter().any(|finding| finding.fix.is_some());
                if has_fix && rule.repair == Repair::None {
                    say("it says that there is no repair, and has one".to_owned());
                }
            }
            "fixed" | "unsafe" => {
                let limit = if block.kind == "fixed" { Repair::Safe } else { Repair::Unsafe };
                let flagged = before.unwrap();
                let context = world::context(flagged);
                let fixed = fix(&flagged.text, context.as_ref(), &settings, limit);
                if fixed.text != block.text {
                    say(format!("expected\n{}\ngot\n{}", block.text, fixed.text));
                }
                let again = lint(&fixed.text, context.as_ref(), &settings);
                if !again.findings.is_empty() {
                    say(format!("the fixed block is not clean:\n{}\n{}", fixed.text, shown(&again.findings)));
                }
            }
            "clean" => {
                if !linted.findings.is_empty() {
                    say(format!("clean block:\n{}\n{}", block.text, shown(&linted.findings)));
                }
            }
            other => panic!("{}: a block of kind `{other}`", rule.id),
        }
    }
    let has = |kind: &str| page.iter().any(|block| block.kind == kind);
    if !has("flagged") || !has("clean") {
        say("it needs a flagged and a clean block".to_owned());
    }
    let is_fixable = matches!(rule.repair, Repair::Safe | Repair::Unsafe);
    if is_fixable != (has("fixed") || has("unsafe")) {
        say(format!("repair is {:?}, and the page does not fit that", rule.repair));
    }
}

#[test]
fn pages_are_true() {
    let mut problems = Vec::new();
    for rule in RULES {
        check(rule, &blocks(rule.page), &mut problems);
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn table_files_and_pages_agree() {
    assert!(RULES.is_sorted_by_key(|rule| rule.id));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let files: BTreeSet<String> = RULES
        .iter()
        .map(|rule| format!("{}_{}.rs", rule.id.to_lowercase(), rule.slug))
        .chain(["mod.rs".to_owned()])
        .collect();
    assert_eq!(names("src/rules"), files);
    let pages: BTreeSet<String> = RULES.iter().map(|rule| format!("{}.md", rule.id)).collect();
    assert_eq!(names("tests/rules"), pages);
    for rule in RULES {
        let title = format!("# {} {}\n\n{}.\n", rule.id, rule.slug, rule.title);
        assert!(rule.page.starts_with(&title), "{}", rule.id);
        assert!(rule.page.contains("\n## What\n") && rule.page.contains("\n## Why\n"), "{}", rule.id);
    }
    let slugs: BTreeSet<&str> = RULES.iter().map(|rule| rule.slug).collect();
    assert_eq!(slugs.len(), RULES.len());
}
