use crate::{Class, Diagnose};

/// An error of any crate, ready to be printed: what every [`Diagnose`] says of itself, as text.
///
/// Crates that are used by programs, and bring errors of many others together, have this in place of a type of their own.
#[derive(Debug)]
pub struct Failure {
    /// Stable dotted name, as [`Diagnose::code`] gives it.
    pub code: &'static str,
    /// Whose turn it is.
    pub class: Class,
    /// What could not be done, or what is wrong; [`crate::sentence`] makes a sentence of it.
    pub what: String,
    /// The sources of the error, nearest first.
    pub causes: Vec<String>,
    /// What the user can do.
    pub help: Option<String>,
}

impl Failure {
    /// One without causes and help.
    pub fn new(code: &'static str, class: Class, what: impl Into<String>) -> Self {
        Self { code, class, what: what.into(), causes: Vec::new(), help: None }
    }

    /// The command line asked for something that cannot be.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new("kiln.usage", Class::Usage, what)
    }

    /// What it says, as a sentence without a full stop.
    pub fn sentence(&self) -> String {
        crate::sentence(&self.what)
    }

    /// What it says, and its causes, in one line.
    pub fn told(&self) -> String {
        self.causes.iter().fold(self.sentence(), |told, cause| format!("{told}: {cause}"))
    }

    /// Says what the user can do, in place of what was said before.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a cause below those that are there.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }
}

impl<E: Diagnose> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        Self { code: error.code(), class: error.class(), what: error.to_string(), causes, help: error.help() }
    }
}
