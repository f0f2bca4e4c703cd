//! What a command is. Each is a static in a file of its own, listed in [`crate::commands::COMMANDS`].

use std::path::Path;

use clap::ArgMatches;
use kiln_finding::Failure;
use kiln_report::Kind;

use crate::context::Context;
use crate::output::Outcome;

/// A command that takes the arguments `A`, whose first doc line is its help.
pub(crate) struct Command<A: 'static> {
    /// As it is typed.
    pub(crate) name: &'static str,
    pub(crate) group: Group,
    /// Where in its group it is listed; those of the same number by name.
    pub(crate) order: u8,
    /// The kind of result that it writes in more formats than those that all have.
    pub(crate) kind: Option<Kind>,
    /// What must happen before anything else does.
    pub(crate) prepare: fn(&A) -> Result<(), Failure>,
    /// The folder whose kiln.toml counts; `None` for a command that needs nothing of it.
    pub(crate) project: fn(&A) -> Option<&Path>,
    /// Whether it uses what is kept on this machine.
    pub(crate) uses_folders: bool,
    pub(crate) run: fn(&A, &Context) -> Result<Outcome, Failure>,
}

/// What commands are for, in the order that `kiln --help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    Make,
    Look,
    Sign,
    Keep,
    Machine,
}

impl Group {
    pub(crate) const ALL: [Self; 5] = [Self::Make, Self::Look, Self::Sign, Self::Keep, Self::Machine];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Make => "Make images",
            Self::Look => "Look at images and Dockerfiles",
            Self::Sign => "Sign and verify",
            Self::Keep => "Move and keep images",
            Self::Machine => "This machine",
        }
    }
}

impl<A> Command<A> {
    /// One that is listed after those with an order, reads the kiln.toml of the folder it is started in, uses what is kept, and
    /// writes for people and as JSON.
    pub(crate) const fn new(
        name: &'static str,
        group: Group,
        run: fn(&A, &Context) -> Result<Outcome, Failure>,
    ) -> Self {
        Self {
            name,
            group,
            order: u8::MAX,
            kind: None,
            prepare: |_| Ok(()),
            project: |_| Some(Path::new(".")),
            uses_folders: true,
            run,
        }
    }
}

/// A command of the table, whatever arguments it takes.
pub(crate) trait Entry: Sync {
    fn name(&self) -> &'static str;
    fn group(&self) -> Group;
    fn order(&self) -> u8;
    /// Whether it can write its result like this. Every command can for people, and as JSON.
    fn takes(&self, format: &kiln_report::Format) -> bool;
    /// Its help and its arguments, for clap.
    fn described(&self) -> clap::Command;
    fn read(&'static self, matches: &ArgMatches) -> Result<Box<dyn Asked>, clap::Error>;
}

/// A command with the arguments that it was given.
pub(crate) trait Asked {
    fn prepare(&self) -> Result<(), Failure>;
    fn project(&self) -> Option<&Path>;
    fn uses_folders(&self) -> bool;
    fn run(&self, context: &Context) -> Result<Outcome, Failure>;
}

impl<A: clap::Args> Entry for Command<A> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn group(&self) -> Group {
        self.group
    }

    fn order(&self) -> u8 {
        self.order
    }

    fn takes(&self, format: &kiln_report::Format) -> bool {
        matches!(format.name, "human" | "json") || self.kind.is_some_and(|kind| format.knows(kind))
    }

    fn described(&self) -> clap::Command {
        A::augment_args(clap::Command::new(self.name))
    }

    fn read(&'static self, matches: &ArgMatches) -> Result<Box<dyn Asked>, clap::Error> {
        Ok(Box::new(Read { command: self, args: A::from_arg_matches(matches)? }))
    }
}

struct Read<A: 'static> {
    command: &'static Command<A>,
    args: A,
}

impl<A> Asked for Read<A> {
    fn prepare(&self) -> Result<(), Failure> {
        (self.command.prepare)(&self.args)
    }

    fn project(&self) -> Option<&Path> {
        (self.command.project)(&self.args)
    }

    fn uses_folders(&self) -> bool {
        self.command.uses_folders
    }

    fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        (self.command.run)(&self.args, context)
    }
}
