use kiln_finding::Failure;

use crate::command::{Command, Group};
use crate::context::Context;
use crate::global::Format;
use crate::output::{self, Outcome};

pub(super) static COMMAND: Command<Args> = Command {
    order: 3,
    project: |_| None,
    uses_folders: false,
    ..Command::new("version", Group::Machine, run)
};

/// Show the version of kiln
#[derive(clap::Args)]
pub(crate) struct Args {}

#[expect(clippy::unnecessary_wraps, reason = "every command has this signature")]
fn run(_: &Args, context: &Context) -> Result<Outcome, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    output::data(&match context.format {
        Format::Human => format!("kiln {version}"),
        Format::Json => serde_json::json!({ "version": version }).to_string(),
    });
    Ok(Outcome::Fine)
}
