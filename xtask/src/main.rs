//! The project's chores, one command each: `cargo xtask COMMAND`.

mod ci;
mod dist;
mod fuzz;
mod graph;
mod imports;
#[cfg(test)]
mod merges;
mod new;
#[cfg(test)]
mod promises;
mod ranks;
mod recipes;
mod snapshot;
mod tidy;
mod tree;
mod truth;

use std::process::ExitCode;

/// A chore.
struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> anyhow::Result<()>,
}

static COMMANDS: &[Command] = &[
    Command {
        name: "ci",
        about: "all that must pass: [fmt tidy deny clippy static replay test recipes]",
        run: ci::run,
    },
    Command { name: "dist", about: "the static binary: [--target x86_64|aarch64]", run: dist::run },
    Command {
        name: "fuzz",
        about: "hostile bytes for every parser: [--replay] [--seconds N] [TARGET…]",
        run: fuzz::run,
    },
    Command { name: "graph", about: "the crates by rank, and what each depends on", run: graph::run },
    Command {
        name: "new",
        about: "a new cataloger, check, command, format or rule: KIND NAME; without them, what they are",
        run: new::run,
    },
    Command {
        name: "recipes",
        about: "perform every recipe of CONTRIBUTING.md in a copy of the project",
        run: recipes::run,
    },
    Command {
        name: "snapshot",
        about: "compile the advisory feeds into crates/kiln-vuln/snapshot",
        run: snapshot::run,
    },
    Command { name: "tidy", about: "check ranks, sizes, names and the other absences", run: tidy::run },
    Command {
        name: "truth",
        about: "recall and precision of matching on the labels beside the project: [--all]",
        run: truth::run,
    },
];

#[expect(clippy::print_stderr, reason = "a chore that fails says why")]
fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let wanted = args.next().unwrap_or_default();
    let Some(command) = COMMANDS.iter().find(|command| command.name == wanted) else {
        let list = COMMANDS.iter().map(|command| format!("\n  {:10} {}", command.name, command.about));
        eprintln!("usage: cargo xtask COMMAND\n{}", list.collect::<String>());
        return ExitCode::from(2);
    };
    match (command.run)(&args.collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
