use kiln_finding::Failure;

use crate::context::Context;
use crate::global::Format;
use crate::output::{self, Outcome};

/// Show the version of kiln
#[derive(clap::Args)]
pub(crate) struct Args {}

#[expect(clippy::unnecessary_wraps, reason = "every command has this signature")]
pub(crate) fn run(_: &Args, context: &Context) -> Result<Outcome, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    output::data(&match context.format {
        Format::Human => format!("kiln {version}"),
        Format::Json => serde_json::json!({ "version": version }).to_string(),
    });
    Ok(Outcome::Fine)
}
