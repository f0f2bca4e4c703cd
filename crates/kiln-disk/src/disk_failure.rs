use std::io;
use std::path::Path;

use kiln_finding::{Class, Failure};

/// A failure of this machine's disk: what was being done to `path`, and why it could not be done.
pub fn disk_failure(doing: &str, path: &Path, cause: &io::Error) -> Failure {
    let failure = Failure::new("build.io", Class::Environment, format!("{doing} `{}`", path.display()))
        .with_cause(cause.to_string());
    match cause.kind() {
        io::ErrorKind::StorageFull => {
            failure.with_help("free some space and run the command again; nothing half-written was kept")
        }
        io::ErrorKind::Unsupported => {
            failure.with_help("keep kiln's folders on a disk of this machine: --data-dir, --cache-dir")
        }
        _ => failure,
    }
}
