//! Every recipe of CONTRIBUTING.md, performed: in a copy of the project `cargo xtask new` makes one of each kind, no more is touched
//! than the recipe says, and what it made is tidy, without a warning, and passes the tests of its crate.

mod scratch;

use anyhow::ensure;

use scratch::{Scratch, Touched};

/// What a recipe touches.
struct Recipe {
    kind: &'static str,
    name: &'static str,
    files: usize,
    lines: usize,
}

/// The counts that CONTRIBUTING.md states. The ids are like no others, so that nothing means them.
static RECIPES: &[Recipe] = &[
    Recipe { kind: "cataloger", name: "recipe_list", files: 2, lines: 2 },
    Recipe { kind: "check", name: "im777_recipe", files: 2, lines: 2 },
    Recipe { kind: "command", name: "recipe", files: 2, lines: 4 },
    Recipe { kind: "format", name: "recipe", files: 2, lines: 2 },
    Recipe { kind: "rule", name: "df777_recipe", files: 2, lines: 2 },
];

/// The crates that recipes write to.
const CRATES: [&str; 10] = [
    "--package",
    "kiln",
    "--package",
    "kiln-inventory",
    "--package",
    "kiln-lint",
    "--package",
    "kiln-policy",
    "--package",
    "kiln-report",
];

/// Performs all of them, and asks the copy what CI asks the project.
#[expect(clippy::print_stdout, reason = "a chore prints what it did")]
pub(crate) fn run(_: &[String]) -> anyhow::Result<()> {
    let scratch = Scratch::copy()?;
    for recipe in RECIPES {
        let Recipe { kind, name, files, lines } = recipe;
        scratch.cargo(&["xtask", "new", kind, name])?;
        let touched = scratch.touched()?;
        let wanted = Touched { files: *files, lines: *lines, taken: 0 };
        ensure!(touched == wanted, "a {kind} touches {touched:?}; its recipe says {wanted:?}");
        println!("{kind}: {files} new files, {lines} lines");
        scratch.keep()?;
        ensure!(scratch.cargo(&["xtask", "new", kind, name]).is_err(), "a {kind} is made twice");
        ensure!(scratch.touched()? == Touched::default(), "a {kind} that is refused leaves something behind");
    }
    scratch.cargo(&["fmt", "--all", "--check"])?;
    scratch.cargo(&["xtask", "tidy"])?;
    let clippy = [&["clippy"][..], &CRATES, &["--all-targets", "--", "--deny", "warnings"]].concat();
    scratch.cargo(&clippy)?;
    let engines: Vec<&str> = CRATES[2..].to_vec();
    scratch.cargo(&[&["test"][..], &engines, &["--lib", "--tests"]].concat())?;
    let shell = [
        "test",
        "--package",
        "kiln",
        "--bins",
        "--test",
        "e2e",
        "--",
        "args::",
        "explained::",
        "recipe::",
        "version::",
    ];
    scratch.cargo(&shell)
}
