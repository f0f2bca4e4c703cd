use std::error::Error;
use std::fmt;

use crate::{Class, Diagnose};

/// An error of a port's implementation, kept by an engine that cannot name its type, with what it said of itself.
#[derive(Debug)]
pub struct Cause {
    code: &'static str,
    class: Class,
    help: Option<String>,
    error: Box<dyn Error + Send + Sync>,
}

impl Cause {
    /// Keeps `error`.
    pub fn new<E: Diagnose + Send + Sync + 'static>(error: E) -> Self {
        Self { code: error.code(), class: error.class(), help: error.help(), error: Box::new(error) }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl Diagnose for Cause {
    fn code(&self) -> &'static str {
        self.code
    }

    fn class(&self) -> Class {
        self.class
    }

    fn help(&self) -> Option<String> {
        self.help.clone()
    }
}
