use std::io;
use std::path::Path;

use kiln_finding::{Class, Failure};

/// Something of a folder that was not read, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missed {
    /// Where it lies in the folder, as far as that can be written; `.` is the folder itself.
    pub path: String,
    /// What kind of thing it is.
    pub reason: Reason,
    /// Why: a fragment that fits after the path and a colon.
    pub why: String,
}

/// Why something was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The disk did not give it.
    Disk,
    /// It lies too deep, or there are too many.
    Limit,
    /// Its name, or where it links to, cannot be in an image.
    Name,
    /// It is a pipe or a device, which holds nothing.
    Device,
}

impl Missed {
    pub(crate) fn new(path: &str, reason: Reason, why: impl Into<String>) -> Self {
        let path = path.trim_start_matches('/');
        let path = if path.is_empty() { "." } else { path };
        Self { path: path.to_owned(), reason, why: why.into() }
    }

    pub(crate) fn disk(path: &str, error: &io::Error) -> Self {
        let is_limit = error.kind() == io::ErrorKind::FileTooLarge;
        Self::new(path, if is_limit { Reason::Limit } else { Reason::Disk }, error.to_string())
    }

    /// For commands that must have all of a folder.
    pub fn failure(&self, folder: &Path) -> Failure {
        let place = if self.path == "." { folder.to_owned() } else { folder.join(&self.path) };
        let class = if self.reason == Reason::Disk { Class::Environment } else { Class::Config };
        let what = format!("read `{}`", place.display());
        let failure = Failure::new("app.unread", class, what).with_cause(self.why.clone());
        match self.reason {
            Reason::Disk => failure,
            Reason::Limit | Reason::Device => failure.with_help("leave it out with .dockerignore"),
            Reason::Name => failure.with_help("rename it"),
        }
    }
}
