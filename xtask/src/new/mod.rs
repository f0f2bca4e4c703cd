//! `cargo xtask new KIND NAME` performs a recipe of CONTRIBUTING.md: a small thing of its kind that works, to be made into what it is
//! to be. Each kind is one file.

mod cataloger;
mod change;
mod check;
mod command;
mod format;
mod ids;
mod kind;
mod name;
mod rule;
#[cfg(test)]
mod tests;

use anyhow::{Context, bail};

use crate::tree;
use kind::Kind;

/// Every kind, by name.
static KINDS: &[&Kind] = &[&cataloger::KIND, &check::KIND, &command::KIND, &format::KIND, &rule::KIND];

/// Writes the files and lines of a new thing, or nothing.
#[expect(clippy::print_stdout, reason = "a chore prints what it did")]
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let [kind, name] = args else { bail!(usage()) };
    let kind = find(kind)?;
    let tree = tree::files()?;
    let change = (kind.plan)(&tree, name).with_context(|| format!("cargo xtask new {} {name}", kind.name))?;
    change.write(&tree::root())?;
    for path in change.created.keys() {
        println!("new:   {path}");
    }
    for path in change.changed.keys() {
        println!("lines: {path}");
    }
    println!("next:  {}", kind.next);
    Ok(())
}

fn find(name: &str) -> anyhow::Result<&'static Kind> {
    let kind = KINDS.iter().find(|kind| kind.name == name);
    kind.copied().with_context(|| format!("there is no recipe for `{name}`\n{}", usage()))
}

fn usage() -> String {
    let kind = |kind: &&Kind| format!("\n  {:9} {:16} {}", kind.name, kind.example, kind.about);
    let kinds: String = KINDS.iter().map(kind).collect();
    format!("usage: cargo xtask new KIND NAME, where KIND and NAME are\n{kinds}")
}
