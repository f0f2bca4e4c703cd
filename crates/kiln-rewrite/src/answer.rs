use std::fmt;

use crate::RewriteTarget;

/// What the user wants.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// What the image shall be based on; without it, what it is based on already if that is hardened, else distroless.
    pub target: Option<&'static RewriteTarget>,
    /// Changes that may change what the app does: another line of Node.
    pub may_change_node: bool,
    /// `YYYY-MM-DD`, to know which lines of Node are still supported.
    pub today: String,
}

/// What a rewrite comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is nothing to rewrite.
    Fine,
    /// New files.
    Rewritten(Rewritten),
    /// It cannot be right, and why.
    Refused(Vec<Obstacle>),
}

/// The files that change, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// New text by path, below the folder of the app.
    pub files: Vec<(String, String)>,
    /// What the image is based on now; `None` where only other files change.
    pub target: Option<&'static str>,
    /// What was wrong.
    pub faults: Vec<Fault>,
    /// What somebody must know before using the new files.
    pub notes: Vec<String>,
}

/// Why a file cannot be rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The line of the Dockerfile, where it is in one.
    pub line: Option<u32>,
    /// What is in the way.
    pub why: String,
}

impl Obstacle {
    pub(crate) fn at(line: u32, why: &str) -> Self {
        Self { line: Some(line), why: why.to_owned() }
    }

    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self { line: None, why: why.into() }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

/// Something that only another structure cures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, where it is in one line.
    pub line: Option<u32>,
    /// What is wrong, and what becomes of it.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}
