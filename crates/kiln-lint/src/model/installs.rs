use kiln_node::Manager;

use crate::shell::{SimpleCommand, Word};

/// A command of a package manager of Node.
#[derive(Clone, Debug)]
pub struct PackageCommand<'a> {
    /// The command.
    pub command: &'a SimpleCommand,
    /// `npm`, `pnpm`, `yarn` or `bun`.
    pub program: &'static str,
    /// The verb, as written; `None` for a bare `yarn`.
    pub verb: Option<&'a Word>,
    /// What it does.
    pub action: Action,
}

/// What a package manager is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Installs what `package.json` names.
    Install {
        /// It fails when the lock file does not fit.
        is_frozen: bool,
    },
    /// Adds packages to the project.
    Add,
    /// Installs programs for all.
    Global,
    /// Runs a package that need not be installed: `npx`, `dlx`.
    Execute,
    /// Runs a script of `package.json`.
    Script,
    /// Compiles native code again.
    Rebuild,
    /// Removes packages for development.
    Prune,
    /// Anything else.
    Other,
}

/// Flags of package managers that take the next word as their value.
const WITH_VALUE: [&str; 15] = [
    "--prefix",
    "-C",
    "--dir",
    "--cwd",
    "--filter",
    "-F",
    "--workspace",
    "-w",
    "--registry",
    "--loglevel",
    "--cache",
    "--omit",
    "--include",
    "--only",
    "--mode",
];

/// Reads a command of a package manager.
pub fn package_command(command: &SimpleCommand) -> Option<PackageCommand<'_>> {
    let argv = command.argv();
    let (program, rest) = match command.program() {
        "npm" => ("npm", argv.get(1..)?),
        "pnpm" => ("pnpm", argv.get(1..)?),
        "yarn" | "yarnpkg" => ("yarn", argv.get(1..)?),
        "bun" => ("bun", argv.get(1..)?),
        "npx" => {
            return Some(PackageCommand {
                command,
                program: "npm",
                verb: argv.first(),
                action: Action::Execute,
            });
        }
        "pnpx" => {
            return Some(PackageCommand {
                command,
                program: "pnpm",
                verb: argv.first(),
                action: Action::Execute,
            });
        }
        "bunx" => {
            return Some(PackageCommand {
                command,
                program: "bun",
                verb: argv.first(),
                action: Action::Execute,
            });
        }
        // `corepack pnpm install`
        "corepack" => {
            let inner = argv.get(1..)?;
            match inner.first()?.value.split('@').next()? {
                "pnpm" => ("pnpm", inner.get(1..)?),
                "yarn" => ("yarn", inner.get(1..)?),
                "npm" => ("npm", inner.get(1..)?),
                _ => return None,
            }
        }
        _ => return None,
    };
    let mut operands = operands(rest).into_iter();
    let verb = operands.next();
    let has_packages = operands.next().is_some();
    let action = action(command, program, verb.map(|word| word.value.as_str()), has_packages);
    Some(PackageCommand { command, program, verb, action })
}

/// The words that are neither flags nor values of flags.
fn operands(words: &[Word]) -> Vec<&Word> {
    let mut list = Vec::new();
    let mut skip = false;
    for word in words {
        if std::mem::take(&mut skip) {
            continue;
        }
        if word.value.starts_with('-') {
            skip = WITH_VALUE.contains(&word.value.as_str());
        } else {
            list.push(word);
        }
    }
    list
}

fn action(command: &SimpleCommand, program: &str, verb: Option<&str>, has_packages: bool) -> Action {
    let is_global = command.has_flag(&["-g", "--global"])
        || command.args().windows(2).any(|pair| pair == ["--location", "global"])
        || command.has_flag(&["--location=global"]);
    let frozen = ["--frozen-lockfile", "--immutable", "--ci", "--frozen"];
    let install = || Action::Install {
        is_frozen: command.has_flag(&frozen) && !command.args().contains(&"--frozen-lockfile=false"),
    };
    let Some(verb) = verb else { return if program == "yarn" { install() } else { Action::Other } };
    match (program, verb) {
        ("npm", "install" | "i" | "add" | "in" | "ins" | "inst" | "insta" | "instal" | "isntall") => {
            match () {
                () if is_global => Action::Global,
                () if has_packages => Action::Add,
                () => Action::Install { is_frozen: false },
            }
        }
        ("npm", "ci" | "clean-install" | "ic" | "install-clean") => Action::Install { is_frozen: true },
        ("npm", "exec" | "x" | "create" | "init") | ("yarn" | "pnpm", "dlx" | "create") | ("bun", "x") => {
            Action::Execute
        }
        ("npm" | "pnpm", "rebuild" | "rb") => Action::Rebuild,
        (_, "prune") => Action::Prune,
        ("pnpm" | "bun", "install" | "i") => match () {
            () if is_global => Action::Global,
            () if has_packages => Action::Add,
            () => install(),
        },
        ("pnpm" | "bun", "add" | "a") => {
            if is_global {
                Action::Global
            } else {
                Action::Add
            }
        }
        ("yarn", "install") => install(),
        ("yarn", "add") => Action::Add,
        ("yarn", "global") => Action::Global,
        ("npm", "stop" | "restart" | "run-script")
        | (_, "run" | "start" | "test" | "build" | "exec" | "dev") => Action::Script,
        _ => Action::Other,
    }
}

impl PackageCommand<'_> {
    /// The package manager; `None` for bun.
    pub fn manager(&self) -> Option<Manager> {
        match self.program {
            "npm" => Some(Manager::Npm),
            "pnpm" => Some(Manager::Pnpm),
            "yarn" => Some(Manager::Yarn),
            _ => None,
        }
    }

    /// It installs what `package.json` names.
    pub fn is_install(&self) -> bool {
        matches!(self.action, Action::Install { .. })
    }

    /// It leaves out packages for development.
    pub fn is_production(&self) -> bool {
        let args = self.command.args();
        let omits = args
            .iter()
            .any(|arg| matches!(*arg, "--omit=dev" | "--prod" | "-P" | "--production" | "--production=true"))
            || args.iter().any(|arg| matches!(*arg, "--only=production" | "--only=prod"))
            || args
                .windows(2)
                .any(|pair| matches!(pair, ["--omit", "dev"] | ["--only", "production" | "prod"]));
        let includes =
            args.iter().any(|arg| matches!(*arg, "--include=dev" | "--production=false" | "--prod=false"))
                || args.windows(2).any(|pair| pair == ["--include", "dev"]);
        omits && !includes
    }

    /// The words after the verb that are no flags.
    pub fn packages(&self) -> Vec<&Word> {
        let mut operands = operands(self.command.argv().get(1..).unwrap_or_default());
        let is_npx = matches!(self.command.program(), "npx" | "pnpx" | "bunx");
        let skip = if is_npx {
            0
        } else if self.action == Action::Global && self.program == "yarn" {
            2
        } else {
            1
        };
        operands.drain(..skip.min(operands.len()));
        operands
    }
}
