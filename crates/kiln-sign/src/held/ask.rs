use std::time::Duration;

use kiln_program::{Call, Ended, KEEPERS};

use crate::Error;
use crate::error::ErrorKind;

/// How long a program may take: somebody may have to touch a button.
const TIME_MAX: Duration = Duration::from_mins(2);

/// Runs a program with `input`. What it says on standard error is for the user.
pub(super) fn ask(call: Call, program: &str, input: &[u8]) -> Result<Ended, Error> {
    let call = call.keeps(KEEPERS).input(input).limit(TIME_MAX).speaks_to_the_user();
    call.run().map_err(|error| match error {
        kiln_program::Error::Start { source, .. } => {
            ErrorKind::Program { program: program.to_owned(), source }.into()
        }
        error => super::unfit(error.to_string()),
    })
}
