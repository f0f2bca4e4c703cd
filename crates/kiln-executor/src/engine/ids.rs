//! Which user and group ids the commands of a Dockerfile see.

use kiln_finding::{Class, Failure};
use kiln_sandbox::Ids;

/// `one` does as if there were only one id, as for a user without subordinate ids. `many` is set where they were taken.
const VARIABLE: &str = "KILN_SANDBOX_IDS";

/// All ids where this process may have them.
pub(crate) fn ids() -> Ids {
    if wants_one() { Ids::One } else { Ids::best() }
}

/// Takes the subordinate ids of a user who has some: kiln then starts once more, as root of a user namespace. To be called
/// before any thread starts.
pub fn adopt_ids() -> Result<(), Failure> {
    if wants_one() {
        return Ok(());
    }
    let started =
        std::env::current_exe().and_then(|program| kiln_sandbox::adopt(&program, (VARIABLE, "many")));
    started.map_err(|error| {
        Failure::new("build.ids", Class::Environment, "start kiln with the subordinate ids of this user")
            .with_cause(error.to_string())
            .with_help(format!("set {VARIABLE}=one to do without them"))
    })
}

fn wants_one() -> bool {
    std::env::var(VARIABLE).is_ok_and(|ids| ids == "one")
}
