//! What may go wrong between the start of the sandbox and that of the command, and how it is told.

use std::io;

use serde::{Deserialize, Serialize};

/// What the process inside tells the one outside, as one line of JSON each.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Message {
    /// The sandbox could not be made.
    Setup { step: String, cause: String, errno: i32 },
    /// The namespaces are there and wait for their ids.
    Unshared,
    /// The command ended.
    Exit { code: i32 },
}

/// A step that failed, as it is told to the process outside.
pub(crate) struct SetupError {
    pub(crate) step: String,
    pub(crate) cause: io::Error,
}

/// Names the step of an operation that may fail.
pub(crate) fn step<T>(
    name: impl Into<String>,
    result: Result<T, impl Into<io::Error>>,
) -> Result<T, SetupError> {
    result.map_err(|cause| SetupError { step: name.into(), cause: cause.into() })
}
