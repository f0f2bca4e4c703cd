//! The project's chores, one command each: `cargo xtask snapshot`.

mod snapshot;

/// A chore.
struct Command {
    name: &'static str,
    about: &'static str,
    run: fn() -> anyhow::Result<()>,
}

static COMMANDS: &[Command] = &[
    Command {
        name: "snapshot",
        about: "compile the advisory feeds into crates/kiln-vuln/snapshot",
        run: snapshot::run,
    },
    Command { name: "tidy", about: "check ranks, sizes and names", run: tidy },
];

fn main() -> anyhow::Result<()> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    if let Some(command) = COMMANDS.iter().find(|command| command.name == wanted) {
        return (command.run)();
    }
    let list: Vec<String> =
        COMMANDS.iter().map(|command| format!("  {:10} {}", command.name, command.about)).collect();
    anyhow::bail!("usage: cargo xtask COMMAND\n\n{}", list.join("\n"))
}

fn tidy() -> anyhow::Result<()> {
    anyhow::bail!("cargo xtask tidy does not exist yet")
}
