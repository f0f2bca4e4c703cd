use kiln_finding::Failure;
use kiln_lint::RULES;
use kiln_policy::CHECKS;

use crate::context::Context;
use crate::output::{self, Outcome};

/// Explain a check of the scorecard or a rule of lint: what it asks, why, and how to pass it
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id, such as IM001 or DF023
    id: String,
}

pub(crate) fn run(args: &Args, _: &Context) -> Result<Outcome, Failure> {
    let wanted = args.id.to_uppercase();
    let check = CHECKS.iter().find(|check| check.id == wanted).map(|check| check.page);
    let rule = || RULES.iter().find(|rule| rule.id == wanted || rule.slug == args.id).map(|rule| rule.page);
    let page = check.or_else(rule).ok_or_else(|| {
        let ids: Vec<&str> =
            CHECKS.iter().map(|check| check.id).chain(RULES.iter().map(|rule| rule.id)).collect();
        Failure::usage(format!("explain `{}`: there is no such check", args.id))
            .with_help(format!("the checks are {}", ids.join(", ")))
    })?;
    output::data(page.trim_end());
    Ok(Outcome::Fine)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_id_means_two_things() {
        let ids: Vec<&str> =
            CHECKS.iter().map(|check| check.id).chain(RULES.iter().map(|rule| rule.id)).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }
}
