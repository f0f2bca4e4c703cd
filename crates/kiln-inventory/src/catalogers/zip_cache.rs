use std::io::Read;

use super::cataloger::{Candidate, Cataloger};
use crate::facts::{FileFacts, Reading};

/// Archives that yarn loads packages out of, without unpacking them: that they are there is all that has to be known.
pub(super) static CATALOGER: Cataloger = Cataloger {
    name: "zip-cache",
    examples: &["app/.yarn/cache/ms-npm-2.1.3-81ff3cfac1-10.zip"],
    wants,
    read,
};

fn wants(candidate: &Candidate<'_>) -> bool {
    candidate.path.strip_suffix(".zip").is_some()
        && !candidate.path.split('/').any(|part| part == "node_modules")
}

#[expect(clippy::unnecessary_wraps, reason = "what every cataloger gives")]
fn read(_: &Candidate<'_>, _: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    file.readings.push(Reading::Archive);
    Ok(())
}
