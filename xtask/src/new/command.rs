use anyhow::ensure;

use super::change::{Change, Files};
use super::kind::Kind;
use super::name::Name;

pub(super) static KIND: Kind = Kind {
    name: "command",
    example: "name",
    about: "a command of kiln, and its test from end to end",
    plan,
    next: "write what it does, its group and its line in README.md; cargo test -p kiln --test e2e",
};

const COMMANDS: &str = "crates/kiln/src/commands";
const TESTS: &str = "crates/kiln/tests/e2e";

fn plan<'a>(tree: &'a Files, name: &str) -> anyhow::Result<Change<'a>> {
    let name = Name::parse(name)?;
    let stem = name.as_str();
    ensure!(
        !stem.contains('_') && stem != "help",
        "`kiln {stem}` is no command: it is one word, and not help"
    );
    let mut change = Change::of(tree);
    change.file(
        format!("{COMMANDS}/{stem}.rs"),
        name.fill(include_str!("../../templates/command/command.rs.txt")),
    )?;
    change
        .file(format!("{TESTS}/{stem}.rs"), name.fill(include_str!("../../templates/command/e2e.rs.txt")))?;
    change.listed(COMMANDS, stem, "COMMAND")?;
    change.sorted(&format!("{TESTS}/main.rs"), "mod ", &format!("mod {stem};"))?;
    change.last("README.md", "| `kiln ", &name.fill("| `kiln @name@` | @Words@ |"))?;
    Ok(change)
}
