//! The program that the tests of this crate start as a sandbox; kiln itself is that program otherwise.

use std::process::ExitCode;

fn main() -> ExitCode {
    kiln_sandbox::enter().unwrap_or(ExitCode::FAILURE)
}
