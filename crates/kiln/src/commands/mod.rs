//! One file per command: its arguments and `run`. This file is only the table of them.

mod base;
mod version;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Outcome;

/// A command of kiln's.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Base(base::Args),
    Version(version::Args),
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        match self {
            Self::Base(args) => base::run(&args, context),
            Self::Version(args) => version::run(&args, context),
        }
    }
}
