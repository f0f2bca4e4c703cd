use kiln_finding::Failure;

use crate::context::Context;
use crate::output::{self, Outcome};

/// Show the version of kiln
#[derive(clap::Args)]
pub(crate) struct Args {}

#[expect(clippy::unnecessary_wraps, reason = "every command has this signature")]
pub(crate) fn run(_: &Args, _: &Context) -> Result<Outcome, Failure> {
    output::data(&format!("kiln {}", env!("CARGO_PKG_VERSION")));
    Ok(Outcome::Fine)
}
