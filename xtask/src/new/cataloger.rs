use super::change::{Change, Files};
use super::kind::Kind;
use super::name::Name;

pub(super) static KIND: Kind = Kind {
    name: "cataloger",
    example: "some_name",
    about: "what reads one kind of file in images and folders, and its tests",
    plan,
    next: "write which files it wants and what they hold; cargo test -p kiln-inventory",
};

const CATALOGERS: &str = "crates/kiln-inventory/src/catalogers";

fn plan<'a>(tree: &'a Files, name: &str) -> anyhow::Result<Change<'a>> {
    let name = Name::parse(name)?;
    let stem = name.as_str();
    let mut change = Change::of(tree);
    change.file(
        format!("{CATALOGERS}/{stem}.rs"),
        name.fill(include_str!("../../templates/cataloger/cataloger.rs.txt")),
    )?;
    change.file(
        format!("{CATALOGERS}/{stem}/tests.rs"),
        name.fill(include_str!("../../templates/cataloger/tests.rs.txt")),
    )?;
    change.listed(CATALOGERS, stem, "CATALOGER")?;
    Ok(change)
}
