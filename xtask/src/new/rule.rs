use anyhow::ensure;

use super::change::{Change, Files};
use super::kind::Kind;
use super::name::Numbered;

pub(super) static KIND: Kind = Kind {
    name: "rule",
    example: "df123_some_name",
    about: "a rule of kiln lint (DF Dockerfile, NA Node app) and its page",
    plan,
    next: "write what it looks for, and its page; cargo test -p kiln-lint",
};

const RULES: &str = "crates/kiln-lint/src/rules";

fn plan<'a>(tree: &'a Files, name: &str) -> anyhow::Result<Change<'a>> {
    let numbered = Numbered::parse(name, &["DF", "NA"])?;
    free(tree, &numbered)?;
    let stem = numbered.stem();
    let mut change = Change::of(tree);
    change.file(
        format!("{RULES}/{stem}.rs"),
        numbered.fill(include_str!("../../templates/rule/rule.rs.txt")),
    )?;
    change.file(
        format!("crates/kiln-lint/tests/rules/{}.md", numbered.id),
        numbered.fill(include_str!("../../templates/rule/page.md.txt")),
    )?;
    change.listed(RULES, &stem, "RULE")?;
    Ok(change)
}

/// Rules and checks share their ids, and a slug stands for one rule.
fn free(tree: &Files, numbered: &Numbered) -> anyhow::Result<()> {
    super::ids::free(tree, &numbered.id)?;
    let slug = format!("_{}.rs", numbered.name.as_str());
    let other = tree.keys().find(|path| {
        let file = path.strip_prefix(RULES).unwrap_or_default();
        file.get("/df123".len()..) == Some(&slug)
    });
    ensure!(other.is_none(), "{} is there already", other.map(String::as_str).unwrap_or_default());
    Ok(())
}
