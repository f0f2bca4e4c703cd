use serde::{Deserialize, Serialize};

use crate::Span;

/// Whether a builder would go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gravity {
    /// A builder accepts it, perhaps not as meant.
    Warning,
    /// A builder refuses the file.
    Error,
}

/// Something wrong with the text of a file. Parsing goes on after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Whether a builder would go on.
    pub gravity: Gravity,
    /// Stable name of the kind of problem, such as `unknown-instruction`.
    pub code: &'static str,
    /// Where.
    pub span: Span,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to write, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Problem {
    pub(crate) fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { gravity: Gravity::Error, code, span, message: message.into(), help: None }
    }

    pub(crate) fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { gravity: Gravity::Warning, ..Self::error(code, span, message) }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn with_guess(mut self, guess: Option<&str>) -> Self {
        self.help = guess.map(|guess| format!("did you mean `{guess}`?")).or(self.help);
        self
    }

    /// Whether a builder refuses the file because of it.
    pub fn is_error(&self) -> bool {
        self.gravity == Gravity::Error
    }
}
