use super::change::{Change, Files};
use super::kind::Kind;
use super::name::Numbered;

pub(super) static KIND: Kind = Kind {
    name: "check",
    example: "im123_some_name",
    about: "a check of the scorecard (IM image, NA Node app, PK packages, SG signatures) and its page",
    plan,
    next: "write what it asks, and its page; UPDATE=1 cargo test -p kiln-policy --test pages",
};

const CHECKS: &str = "crates/kiln-policy/src/checks";

fn plan<'a>(tree: &'a Files, name: &str) -> anyhow::Result<Change<'a>> {
    let numbered = Numbered::parse(name, &["IM", "NA", "PK", "SG"])?;
    super::ids::free(tree, &numbered.id)?;
    let stem = numbered.stem();
    let mut change = Change::of(tree);
    change.file(
        format!("{CHECKS}/{stem}.rs"),
        numbered.fill(include_str!("../../templates/check/check.rs.txt")),
    )?;
    change.file(
        format!("crates/kiln-policy/tests/checks/{}.md", numbered.id),
        numbered.fill(include_str!("../../templates/check/page.md.txt")),
    )?;
    change.listed(CHECKS, &stem, "CHECK")?;
    Ok(change)
}
