use kiln_finding::{Class, Diagnose};

/// Why a command could not finish, ready to be printed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) class: Class,
    pub(crate) what: String,
    /// The sources of the error, nearest first.
    pub(crate) causes: Vec<String>,
    pub(crate) help: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: &'static str, class: Class, what: impl Into<String>) -> Self {
        Self { code, class, what: what.into(), causes: Vec::new(), help: None }
    }

    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new("kiln.usage", Class::Usage, what)
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn with_cause(mut self, cause: impl Into<String>) -> Self {
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
