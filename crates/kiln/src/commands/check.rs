use std::path::PathBuf;

use kiln_app::is_dockerfile;
use kiln_finding::Failure;

use super::lint::Asked;
use crate::command::{Command, Group};
use crate::context::Context;
use crate::output::Outcome;

pub(super) static COMMAND: Command<Args> = Command {
    order: 4,
    kind: Some(kiln_report::Kind::Lint),
    uses_folders: false,
    ..Command::new("check", Group::Look, run)
};

/// Check a Dockerfile
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The Dockerfile
    #[arg(value_name = "FILE")]
    subject: PathBuf,
    #[command(flatten)]
    asked: Asked,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let name = args.subject.file_name().unwrap_or_default().to_string_lossy();
    if !args.subject.is_file() || !is_dockerfile(&name) {
        return Err(Failure::usage(format!("check {}: it is no Dockerfile", args.subject.display()))
            .with_help("`kiln lint DIR` looks for Dockerfiles, `kiln scan IMAGE` looks at an image"));
    }
    args.asked.check(args.subject.clone(), context)
}
