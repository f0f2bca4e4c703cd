use crate::{Class, Diagnose, Failure};

/// A [`Failure`] as an engine sees it that asked through a port: an error with a chain of sources.
#[derive(Debug)]
pub struct PortError {
    failure: Failure,
    source: Option<Link>,
}

/// One text of a chain of causes.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Link {
    text: String,
    #[source]
    next: Option<Box<Self>>,
}

impl PortError {
    /// Keeps all that `failure` says.
    pub fn new(failure: Failure) -> Self {
        let chain = failure
            .causes
            .iter()
            .rev()
            .fold(None, |next, text| Some(Link { text: text.clone(), next: next.map(Box::new) }));
        Self { failure, source: chain }
    }
}

impl std::fmt::Display for PortError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.failure.what)
    }
}

impl std::error::Error for PortError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

impl Diagnose for PortError {
    fn code(&self) -> &'static str {
        self.failure.code
    }

    fn class(&self) -> Class {
        self.failure.class
    }

    fn help(&self) -> Option<String> {
        self.failure.help.clone()
    }
}
