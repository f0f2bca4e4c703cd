//! One file per command: its arguments and `run`. This file is only the table of them.

mod attest;
mod base;
mod build;
mod check;
mod copy;
mod db;
mod doctor;
mod explain;
mod fix;
mod groups;
mod images;
mod keygen;
mod lint;
mod plan;
mod prune;
mod pull;
mod push;
mod rm;
mod sbom;
mod scan;
mod ship;
mod sign;
mod trust;
mod verify;
mod version;

use std::path::Path;

pub(crate) use groups::{GROUPS, takes};
use kiln_finding::Failure;

use crate::context::Context;
use crate::output::Outcome;

/// A command of kiln's.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Attest(attest::Args),
    Base(base::Args),
    Build(Box<build::Args>),
    Check(check::Args),
    Copy(copy::Args),
    Db(db::Args),
    Doctor(doctor::Args),
    Explain(explain::Args),
    Fix(fix::Args),
    Images(images::Args),
    Keygen(keygen::Args),
    Lint(lint::Args),
    Plan(plan::Args),
    Prune(prune::Args),
    Pull(pull::Args),
    Push(push::Args),
    Rm(rm::Args),
    Sbom(sbom::Args),
    Scan(scan::Args),
    Ship(Box<ship::Args>),
    Sign(sign::Args),
    Trust(trust::Args),
    Verify(verify::Args),
    Version(version::Args),
}

impl Command {
    /// What must happen before anything else does.
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        match self {
            Self::Build(args) => build::prepare(args),
            Self::Fix(args) => fix::prepare(args),
            Self::Prune(_) => prune::prepare(),
            _ => Ok(()),
        }
    }

    /// The folder whose kiln.toml counts; `None` for commands that need nothing of it.
    pub(crate) fn project(&self) -> Option<&Path> {
        match self {
            Self::Build(args) => Some(args.project()),
            Self::Fix(args) => Some(args.project()),
            Self::Plan(args) => Some(args.project()),
            Self::Ship(args) => Some(args.project()),
            Self::Doctor(_)
            | Self::Explain(_)
            | Self::Images(_)
            | Self::Keygen(_)
            | Self::Prune(_)
            | Self::Rm(_)
            | Self::Version(_) => None,
            _ => Some(Path::new(".")),
        }
    }

    /// Whether the command uses what is kept on this machine.
    pub(crate) fn uses_folders(&self) -> bool {
        let uses_none = matches!(
            self,
            Self::Check(_)
                | Self::Doctor(_)
                | Self::Explain(_)
                | Self::Keygen(_)
                | Self::Lint(_)
                | Self::Plan(_)
                | Self::Prune(_)
                | Self::Rm(_)
                | Self::Version(_)
        );
        !uses_none
    }

    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        match self {
            Self::Attest(args) => attest::run(&args, context),
            Self::Base(args) => base::run(&args, context),
            Self::Build(args) => build::run(&args, context),
            Self::Check(args) => check::run(&args, context),
            Self::Copy(args) => copy::run(&args, context),
            Self::Db(args) => db::run(&args, context),
            Self::Doctor(args) => doctor::run(&args, context),
            Self::Explain(args) => explain::run(&args, context),
            Self::Fix(args) => fix::run(&args, context),
            Self::Images(args) => images::run(&args, context),
            Self::Keygen(args) => keygen::run(&args, context),
            Self::Lint(args) => lint::run(&args, context),
            Self::Plan(args) => plan::run(&args, context),
            Self::Prune(args) => prune::run(&args, context),
            Self::Pull(args) => pull::run(&args, context),
            Self::Push(args) => push::run(&args, context),
            Self::Rm(args) => rm::run(&args, context),
            Self::Sbom(args) => sbom::run(&args, context),
            Self::Scan(args) => scan::run(&args, context),
            Self::Ship(args) => ship::run(&args, context),
            Self::Sign(args) => sign::run(&args, context),
            Self::Trust(args) => trust::run(&args, context),
            Self::Verify(args) => verify::run(&args, context),
            Self::Version(args) => version::run(&args, context),
        }
    }
}
