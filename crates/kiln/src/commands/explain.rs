use kiln_policy::CHECKS;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Outcome};

/// Explain a check of the scorecard: what it asks, why, and how to pass it
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the check, such as IM001
    id: String,
}

pub(crate) fn run(args: &Args, _: &Context) -> Result<Outcome, Failure> {
    let wanted = args.id.to_uppercase();
    let check = CHECKS.iter().find(|check| check.id == wanted).ok_or_else(|| {
        let ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
        Failure::usage(format!("explain `{}`: there is no such check", args.id))
            .with_help(format!("the checks are {}", ids.join(", ")))
    })?;
    output::data(check.page.trim_end());
    Ok(Outcome::Fine)
}
