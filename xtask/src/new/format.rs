use anyhow::Context;
use serde::Deserialize;

use super::change::{Change, Files};
use super::kind::Kind;
use super::name::Name;

pub(super) static KIND: Kind = Kind {
    name: "format",
    example: "name",
    about: "a format of results, for scorecards at first, and its golden file",
    plan,
    next: "write what it looks like; UPDATE=1 cargo test -p kiln-report, and read the golden file",
};

const FORMATS: &str = "crates/kiln-report/src/formats";
const GOLDEN: &str = "crates/kiln-report/tests/golden";

fn plan<'a>(tree: &'a Files, name: &str) -> anyhow::Result<Change<'a>> {
    let name = Name::parse(name)?;
    let stem = name.as_str();
    let mut change = Change::of(tree);
    change.file(
        format!("{FORMATS}/{stem}.rs"),
        name.fill(include_str!("../../templates/format/format.rs.txt")),
    )?;
    change.file(format!("{GOLDEN}/sink-{}.txt", name.fill("@dashed@")), golden(tree)?)?;
    change.listed(FORMATS, stem, "FORMAT")?;
    Ok(change)
}

#[derive(Deserialize)]
struct Card {
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    title: String,
    outcome: String,
}

/// What the template makes of the scorecard of the golden files.
fn golden(tree: &Files) -> anyhow::Result<String> {
    let path = format!("{GOLDEN}/sink-json.json");
    let text = tree.get(&path).with_context(|| format!("there is no {path}"))?;
    let card: Card = serde_json::from_str(text).with_context(|| format!("read {path}"))?;
    let line = |line: &Line| format!("{}: {} {}\n", line.outcome.replace('-', " "), line.id, line.title);
    Ok(card.lines.iter().map(line).collect())
}
